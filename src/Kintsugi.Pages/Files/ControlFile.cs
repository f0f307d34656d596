namespace Kintsugi.Pages.Files;

/// <summary>What the cluster was doing when the control file was written (DBState, pg_control.h).</summary>
public enum ClusterState
{
    /// <summary>Being created.</summary>
    StartingUp = 0,

    /// <summary>Stopped cleanly.</summary>
    ShutDown = 1,

    /// <summary>A standby stopped cleanly.</summary>
    ShutDownInRecovery = 2,

    /// <summary>Stopping.</summary>
    ShuttingDown = 3,

    /// <summary>Replaying after a crash.</summary>
    InCrashRecovery = 4,

    /// <summary>Replaying as a standby or from an archive.</summary>
    InArchiveRecovery = 5,

    /// <summary>Running, or not stopped cleanly.</summary>
    InProduction = 6,
}

/// <summary>global/pg_control (ControlFileData) of PostgreSQL 13-18: control versions 1300 (13-16), 1700 and 1800.</summary>
public sealed record ControlFile
{
    /// <summary>Bytes that are read; the file itself is padded to 8192.</summary>
    public const int Needed = 296;

    /// <summary>Length of the file (PG_CONTROL_FILE_SIZE).</summary>
    public const int FileSize = 8192;

    /// <summary>Identifies the cluster and its copies.</summary>
    public required ulong SystemIdentifier { get; init; }

    /// <summary>Layout of this file.</summary>
    public required uint ControlVersion { get; init; }

    /// <summary>Layout of the catalogs.</summary>
    public required uint CatalogVersion { get; init; }

    /// <summary>What the cluster was doing.</summary>
    public required ClusterState State { get; init; }

    /// <summary>Seconds since 1970 of the last write.</summary>
    public required long Time { get; init; }

    /// <summary>Where the latest checkpoint's record stands.</summary>
    public required ulong Checkpoint { get; init; }

    /// <summary>Where replay from that checkpoint begins.</summary>
    public required ulong Redo { get; init; }

    /// <summary>Seconds since 1970 when that checkpoint began.</summary>
    public long CheckpointTime { get; init; }

    /// <summary>Timeline of the checkpoint.</summary>
    public required uint Timeline { get; init; }

    /// <summary>Whether full_page_writes was on.</summary>
    public required bool FullPageWrites { get; init; }

    /// <summary>The next transaction id with its epoch.</summary>
    public required ulong NextFullXid { get; init; }

    /// <summary>The next object id.</summary>
    public required uint NextOid { get; init; }

    /// <summary>The next multixact id.</summary>
    public required uint NextMulti { get; init; }

    /// <summary>Where the next multixact's members go.</summary>
    public required uint NextMultiOffset { get; init; }

    /// <summary>Oldest transaction id that any database may still hold (its datfrozenxid).</summary>
    public required uint OldestXid { get; init; }

    /// <summary>Oldest multixact id that any database may still hold.</summary>
    public required uint OldestMulti { get; init; }

    /// <summary>Oldest transaction id that ran at the checkpoint.</summary>
    public required uint OldestActiveXid { get; init; }

    /// <summary>How far replay must come before a standby is consistent.</summary>
    public required ulong MinimumRecoveryPoint { get; init; }

    /// <summary>Where an online backup in progress of restoring began.</summary>
    public required ulong BackupStart { get; init; }

    /// <summary>0 minimal, 1 replica, 2 logical.</summary>
    public required int WalLevel { get; init; }

    /// <summary>Bytes in a block.</summary>
    public required uint BlockSize { get; init; }

    /// <summary>Blocks in a segment file.</summary>
    public required uint SegmentBlocks { get; init; }

    /// <summary>Bytes in a WAL block.</summary>
    public required uint WalBlockSize { get; init; }

    /// <summary>Bytes in a WAL segment.</summary>
    public required uint WalSegmentSize { get; init; }

    /// <summary>0 when data pages carry no checksums.</summary>
    public required uint ChecksumVersion { get; init; }

    /// <summary>CRC-32C that the file carries.</summary>
    public required uint StoredCrc { get; init; }

    /// <summary>CRC-32C of its bytes.</summary>
    public required uint ComputedCrc { get; init; }

    /// <summary>The next transaction id without its epoch.</summary>
    public uint NextXid => (uint)NextFullXid;

    /// <summary>Whether the stored CRC is that of the bytes.</summary>
    public bool IsCrcRight => StoredCrc == ComputedCrc;

    /// <summary>
    /// Reads the file and adds what is wrong with it; null when it is too short or of a version whose layout is not known.
    /// A wrong CRC does not stop it: the fields are then evidence, not truth.
    /// </summary>
    public static ControlFile? Read(ReadOnlySpan<byte> file, ICollection<Flaw> flaws)
    {
        if (file.Length < Needed)
        {
            flaws.Add(new Flaw(FlawKind.FileLength, file.Length, Actual: file.Length, Expected: FileSize));
            return null;
        }
        var version = LittleEndian.U32(file, 8);
        var crcAt = version switch { 1300 or 1700 => 288, 1800 => 292, _ => 0 };
        if (crcAt == 0)
        {
            flaws.Add(new Flaw(FlawKind.FileVersion, 8, Actual: version, Expected: 1800));
            return null;
        }
        var control = Decode(file, crcAt);
        control.Inspect(flaws, crcAt);
        return control;
    }

    private static ControlFile Decode(ReadOnlySpan<byte> file, int crcAt) => new()
    {
        SystemIdentifier = LittleEndian.U64(file, 0),
        ControlVersion = LittleEndian.U32(file, 8),
        CatalogVersion = LittleEndian.U32(file, 12),
        State = (ClusterState)LittleEndian.I32(file, 16),
        Time = (long)LittleEndian.U64(file, 24),
        Checkpoint = LittleEndian.U64(file, 32),
        Redo = LittleEndian.U64(file, 40),
        Timeline = LittleEndian.U32(file, 48),
        FullPageWrites = file[56] != 0,
        NextFullXid = LittleEndian.U64(file, 64),
        NextOid = LittleEndian.U32(file, 72),
        NextMulti = LittleEndian.U32(file, 76),
        NextMultiOffset = LittleEndian.U32(file, 80),
        OldestXid = LittleEndian.U32(file, 84),
        OldestMulti = LittleEndian.U32(file, 92),
        CheckpointTime = (long)LittleEndian.U64(file, 104),
        OldestActiveXid = LittleEndian.U32(file, 120),
        MinimumRecoveryPoint = LittleEndian.U64(file, 136),
        BackupStart = LittleEndian.U64(file, 152),
        WalLevel = LittleEndian.I32(file, 172),
        BlockSize = LittleEndian.U32(file, 216),
        SegmentBlocks = LittleEndian.U32(file, 220),
        WalBlockSize = LittleEndian.U32(file, 224),
        WalSegmentSize = LittleEndian.U32(file, 228),
        ChecksumVersion = LittleEndian.U32(file, 252),
        StoredCrc = LittleEndian.U32(file, crcAt),
        ComputedCrc = Crc32C.Compute(file[..crcAt]),
    };

    private void Inspect(ICollection<Flaw> flaws, int crcAt)
    {
        if (!IsCrcRight) flaws.Add(new Flaw(FlawKind.FileChecksum, crcAt, Actual: StoredCrc, Expected: ComputedCrc));
        if (!Enum.IsDefined(State)) flaws.Add(new Flaw(FlawKind.FieldImpossible, 16, Actual: (int)State, Expected: 6));
        if (BlockSize != PageFormat.Size)
            flaws.Add(new Flaw(FlawKind.FieldImpossible, 216, Actual: BlockSize, Expected: PageFormat.Size));
        if (Redo > Checkpoint)
            flaws.Add(new Flaw(FlawKind.FieldImpossible, 40, Actual: (long)Redo, Expected: (long)Checkpoint));
        if (!TransactionIds.IsNormal(OldestXid) || !TransactionIds.Precedes(OldestXid, NextXid) && OldestXid != NextXid)
            flaws.Add(new Flaw(FlawKind.FieldImpossible, 84, Actual: OldestXid, Expected: NextXid));
    }
}
