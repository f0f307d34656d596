namespace Kintsugi.Pages;

/// <summary>Everything that a page, tuple or file can say that cannot be true. Names are stored: never rename.</summary>
public enum FlawKind
{
    /// <summary>Nothing is wrong.</summary>
    None = 0,

    /// <summary>The page is not whole.</summary>
    PageTruncated,

    /// <summary>pd_upper is 0, as on a page never initialised, but there is data, which the server takes for empty.</summary>
    NewPageWithData,

    /// <summary>Page size and layout version are not those of PostgreSQL 8.3 and later.</summary>
    PageVersion,

    /// <summary>pd_flags has bits that no server sets.</summary>
    PageFlagsUnknown,

    /// <summary>pd_lower lies inside the header.</summary>
    LowerTooSmall,

    /// <summary>pd_lower lies behind pd_upper.</summary>
    LowerBeyondUpper,

    /// <summary>pd_upper lies behind pd_special.</summary>
    UpperBeyondSpecial,

    /// <summary>pd_upper is not a multiple of eight.</summary>
    UpperMisaligned,

    /// <summary>pd_special lies behind the page's end.</summary>
    SpecialBeyondPage,

    /// <summary>pd_special is not a multiple of eight.</summary>
    SpecialMisaligned,

    /// <summary>The page claims a change that the WAL does not have yet.</summary>
    LsnBeyondWal,

    /// <summary>The stored checksum is not that of the bytes.</summary>
    ChecksumMismatch,

    /// <summary>The line pointer array does not end at a whole line pointer.</summary>
    LowerMisaligned,

    /// <summary>More line pointers than fit a heap page.</summary>
    TooManyItems,

    /// <summary>The special space has another size than this kind of page has.</summary>
    SpecialSpaceWrong,

    /// <summary>The item does not begin at a multiple of eight.</summary>
    ItemMisaligned,

    /// <summary>The item is shorter than its header.</summary>
    ItemTooShort,

    /// <summary>The item begins in the free space or before it.</summary>
    ItemBeforeUpper,

    /// <summary>The item ends behind the start of the special space.</summary>
    ItemBeyondSpecial,

    /// <summary>Two line pointers lead to the same bytes.</summary>
    ItemsOverlap,

    /// <summary>Between the tuples are bytes that no line pointer leads to: a tuple whose line pointer was lost.</summary>
    ItemGap,

    /// <summary>An unused line pointer still names an offset or a length.</summary>
    UnusedWithStorage,

    /// <summary>A dead line pointer still has bytes.</summary>
    DeadWithStorage,

    /// <summary>An index page has a line pointer in a state that only heap pages know.</summary>
    ItemStateIllegal,

    /// <summary>A redirect leads to a line pointer that the page does not have.</summary>
    RedirectTargetOutOfRange,

    /// <summary>A redirect leads to an unused line pointer.</summary>
    RedirectTargetUnused,

    /// <summary>A redirect leads to a dead line pointer.</summary>
    RedirectTargetDead,

    /// <summary>A redirect leads to another redirect.</summary>
    RedirectToRedirect,

    /// <summary>A redirect leads to a tuple that is not heap-only.</summary>
    RedirectTargetNotHeapOnly,

    /// <summary>A redirect has a length.</summary>
    RedirectWithLength,

    /// <summary>Two line pointers continue at the same tuple.</summary>
    TwoPredecessors,

    /// <summary>A HOT update's successor is not marked heap-only.</summary>
    HotUpdateNotHeapOnly,

    /// <summary>A plain update's successor is marked heap-only.</summary>
    PlainUpdateHeapOnly,

    /// <summary>A committed heap-only tuple that nothing leads to.</summary>
    HeapOnlyRoot,

    /// <summary>t_hoff lies behind the tuple's end.</summary>
    HoffBeyondTuple,

    /// <summary>t_hoff does not follow from the number of attributes and the null bitmap.</summary>
    HoffWrong,

    /// <summary>The tuple has more attributes than its table.</summary>
    TooManyAttributes,

    /// <summary>The tuple claims nulls but its bitmap names none.</summary>
    NullBitmapWithoutNulls,

    /// <summary>A column of NOT NULL is null.</summary>
    NullInNotNullColumn,

    /// <summary>A multixact cannot be marked committed.</summary>
    XmaxCommittedMulti,

    /// <summary>A tuple HOT updated by nobody.</summary>
    HotUpdatedWithoutXmax,

    /// <summary>A heap-only tuple that is no update's result.</summary>
    HeapOnlyNotUpdated,

    /// <summary>xmin was not handed out yet.</summary>
    XminInFuture,

    /// <summary>xmin is older than anything the table can still contain unfrozen.</summary>
    XminTooOld,

    /// <summary>xmax was not handed out yet.</summary>
    XmaxInFuture,

    /// <summary>xmax is older than anything the table can still contain unfrozen.</summary>
    XmaxTooOld,

    /// <summary>The multixact was not handed out yet.</summary>
    MultiInFuture,

    /// <summary>The multixact is older than the table's horizon.</summary>
    MultiTooOld,

    /// <summary>pd_prune_xid was not handed out yet.</summary>
    PruneXidInFuture,

    /// <summary>t_ctid leads to no possible tuple.</summary>
    CtidImpossible,

    /// <summary>The page says all-visible, but holds a deleted or uncommitted tuple.</summary>
    AllVisibleDeleted,

    /// <summary>The visibility map says all-visible, the page does not.</summary>
    MapWithoutPage,

    /// <summary>The visibility map says all-frozen, but the tuple carries a transaction id that counts.</summary>
    AllFrozenNotFrozen,

    /// <summary>A hint bit says otherwise than the commit log.</summary>
    HintContradictsLog,

    /// <summary>Hinted as committed, but the commit log says that the transaction never ended, although it was over before the log was written.</summary>
    CommittedUnrecorded,

    /// <summary>A column begins or ends behind the tuple's end.</summary>
    AttributeBeyondTuple,

    /// <summary>A value's length word is impossible.</summary>
    VarlenaHeaderInvalid,

    /// <summary>Bytes behind the last column.</summary>
    TupleTailUnread,

    /// <summary>A compressed value that would not shrink or is too long.</summary>
    CompressedTooSmall,

    /// <summary>A compression method that no server knows.</summary>
    CompressionUnknown,

    /// <summary>An external value of a kind that never reaches the disk.</summary>
    ToastTagUnknown,

    /// <summary>An external value in a tuple whose HEAP_HASEXTERNAL is not set.</summary>
    ToastWithoutFlag,

    /// <summary>A TOAST pointer into another TOAST table than the relation's.</summary>
    ToastRelationWrong,

    /// <summary>A TOAST pointer whose sizes cannot be true.</summary>
    ToastPointerImpossible,

    /// <summary>A jsonb value whose tree of lengths cannot be.</summary>
    JsonbImpossible,

    /// <summary>A value that its type cannot have.</summary>
    ValueImpossible,

    /// <summary>A varlena in a tuple whose HEAP_HASVARWIDTH is not set: columns behind it are read from the wrong place.</summary>
    VarlenaWithoutFlag,

    /// <summary>A zero-terminated value without its end.</summary>
    CStringUnterminated,

    /// <summary>A chunk's id, number or data is null.</summary>
    ChunkNull,

    /// <summary>A chunk has another size than its place demands.</summary>
    ChunkSizeWrong,

    /// <summary>A chunk's data is compressed, external or cut.</summary>
    ChunkHeaderInvalid,

    /// <summary>A chunk number that no value has.</summary>
    ChunkSequenceNegative,

    /// <summary>The special space is not that of this access method.</summary>
    NotThisKind,

    /// <summary>The metapage's magic number is wrong.</summary>
    MetaMagicWrong,

    /// <summary>The metapage's version is none that a supported server writes.</summary>
    MetaVersionWrong,

    /// <summary>An index tuple's size is not that of its line pointer.</summary>
    IndexTupleSizeWrong,

    /// <summary>An index tuple has flags that its page cannot have.</summary>
    IndexTupleFlags,

    /// <summary>An index entry leads to no possible row.</summary>
    HeapTidImpossible,

    /// <summary>A posting list lies outside its tuple or has an impossible length.</summary>
    PostingListImpossible,

    /// <summary>A posting list is not in ascending order.</summary>
    PostingListOrder,

    /// <summary>A combination of flags that no server writes.</summary>
    PageFlagsImpossible,

    /// <summary>Level and kind of page contradict each other.</summary>
    LevelImpossible,

    /// <summary>A page is its own neighbour or leads to the metapage.</summary>
    LinkImpossible,

    /// <summary>Keys of a kind whose order is known stand in the wrong order.</summary>
    KeyOutOfOrder,

    /// <summary>A deleted page has entries.</summary>
    DeletedPageHasItems,

    /// <summary>A field counts or points beyond its page.</summary>
    OffsetImpossible,

    /// <summary>All-frozen without all-visible.</summary>
    MapBitsImpossible,

    /// <summary>A node of the free space tree is not the larger of its children.</summary>
    FreeSpaceTree,

    /// <summary>A file has another length than its kind.</summary>
    FileLength,

    /// <summary>A file's magic number is wrong.</summary>
    FileMagic,

    /// <summary>A file's CRC-32C is wrong.</summary>
    FileChecksum,

    /// <summary>A file of a version that is not known.</summary>
    FileVersion,

    /// <summary>A field holds what no server writes.</summary>
    FieldImpossible,

    /// <summary>The page was written to the wrong place: the same rows are in the block that they name as their own.</summary>
    PageOfAnotherBlock,
}
