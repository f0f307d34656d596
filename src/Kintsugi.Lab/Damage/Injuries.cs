namespace Kintsugi.Lab.Damage;

/// <summary>Every injury of the lab, in the order of the layers. The demo lists it, contract tests run over it.</summary>
public static class Injuries
{
    public static IReadOnlyList<Injury> All { get; } =
    [
        // Indexes
        new BTreeEntryMissing(), new SwappedOperatorClass(), new ChangedCollation(), new FailedConcurrentBuild(),
        new ReindexLeftover(),
        new DuplicatesUnderUniqueIndex(), new CollationVersionChanged(), new BTreeItemsSwapped(), new BTreeEntryExtra(),
        new BTreeBitRot(),
        new BTreeLeafZeroed(), new BTreeTruncated(), new BTreeSiblingLink(), new HashEntryLost(), new HashPageZeroed(),
        new GinEntryMissing(), new GinPageZeroed(), new GistEntryMissing(), new SpGistEntryLost(), new BrinSummaryNarrow(),

        // Tables
        new HeapBitRot(), new HeapHeaderDamaged(), new HeapLinePointerLost(), new HeapXminFuture(), new HeapXmaxSet(),
        new HeapHeaderOffset(), new HeapPageZeroed(), new HeapTruncated(), new HeapPageMisplaced(), new HeapPageTorn(),
        new LostWrite(), new RelationFileMissing(),

        // Large values
        new ToastChunkMissing(), new ToastChunkSize(), new ToastIndexEntryMissing(), new ToastPointerWrong(),

        // Maps
        new VisibilityMapLies(), new VisibilityMapGarbage(), new FreeSpaceMapGarbage(),

        // The cluster's own files
        new CommitLogMissing(), new ControlFileDamaged(), new DatabaseVersionMissing(),

        // Catalogs
        new AttributeRowMissing(), new IndexClassRowMissing(), new HasIndexLost(), new TriggersDisabled(),
        new DanglingDependency(),
        new TypeRowMissing(), new NamespaceDangling(), new ConstraintTriggerMissing(), new ForeignKeyNotValid(),

        // Rows and values
        new OrphanSingle(), new OrphanComposite(), new OrphanInPartition(), new OrphanSelfReference(), new OrphanTwoLevels(),
        new OrphanOfPartitionedParent(), new CheckViolated(), new NullInNotNull(), new EnumLabelGone(), new ExclusionViolated(),
        new MisroutedRow(), new GeneratedStale(), new SequenceBehind(), new TextInvalid(),
        new StatisticsNonsense(),
    ];

    /// <summary>The injury of this name.</summary>
    /// <exception cref="LabException">There is none; the message lists them.</exception>
    public static Injury Named(string name) =>
        All.FirstOrDefault(injury => injury.Name == name)
        ?? throw new LabException($"There is no injury `{name}`. Known: {string.Join(", ", All.Select(injury => injury.Name))}.");
}
