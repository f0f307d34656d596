using System.Buffers.Binary;
using System.Globalization;
using Kintsugi.Pages.Files;
using Kintsugi.Pages.Wal;

namespace Kintsugi.Postgres.Files.Offline;

/// <summary>
/// What pg_wal tells of its cluster without a control file: whose it is, and the latest checkpoint that recovery can start from. The first block of
/// each segment carries the system identifier and the segment size (XLogLongPageHeaderData, src/include/access/xlog_internal.h).
/// </summary>
internal sealed record WalRemains
{
    private const int LongHeader = 40;

    public required ulong SystemIdentifier { get; init; }
    public required uint SegmentSize { get; init; }
    public required uint Timeline { get; init; }

    /// <summary>The latest checkpoint whose WAL is there from its redo point on; null when there is none.</summary>
    public FoundCheckpoint? Latest { get; init; }

    /// <summary>The first checkpoint whose WAL is there from its redo point on: what began behind it, the WAL holds whole.</summary>
    public FoundCheckpoint? Earliest { get; init; }

    /// <summary>The format that the WAL is written in.</summary>
    public required int Major { get; init; }

    /// <summary>Where the last good record ends.</summary>
    public ulong End { get; init; }

    /// <summary>Where the record ends at the earliest that begins where the last good one ends, by the length that it says; 0 where none begins there.</summary>
    public ulong Unfinished { get; init; }

    /// <summary>
    /// Whether every record was read that is whole up to there. A server that writes whole pages out ahead of a commit leaves the last record cut at the end of a page.
    /// </summary>
    public bool Reaches(ulong flushed) => End >= flushed || (flushed % WalPageHeader.PageSize == 0 && Unfinished > flushed);

    /// <summary>Segments behind the end hold newer WAL, with a gap or damage before it.</summary>
    public bool GoesOnBehindAGap { get; init; }

    private sealed record Segment(string Path, uint Timeline, ulong Address, ulong System, uint Size, int Major);

    /// <summary>The system identifier in the newest segment, or null when there is none that can be read.</summary>
    public static ulong? IdentifierOf(string directory) => Segments(directory).LastOrDefault()?.System;

    /// <summary>The major whose format the newest segment has, or null when there is none that can be read.</summary>
    public static int? MajorOf(string directory) => Segments(directory).LastOrDefault()?.Major;

    /// <returns>Null when pg_wal holds no segment of that cluster.</returns>
    /// <param name="directory">The data directory.</param>
    /// <param name="each">Is shown every record, with the major that wrote it.</param>
    /// <param name="cancellationToken">Between records.</param>
    public static WalRemains? Read(string directory, Action<WalRecord, int>? each, CancellationToken cancellationToken)
    {
        var all = Segments(directory);
        if (all.Count == 0)
            return null;
        var newest = all[^1];
        var own = all.Where(one => one.System == newest.System && one.Size == newest.Size).ToList();
        // Backwards from the newest of the last timeline, as far as one segment follows the other.
        var first = newest;
        while (own.Find(one => one.Address == first.Address - newest.Size && one.Timeline <= first.Timeline) is { } before)
            first = before;
        using var files = new WalFiles(directory, (int)newest.Size, newest.Timeline);
        var reader = new WalReader(files, first.Address);
        FoundCheckpoint? latest = null, earliest = null;
        var redo = ulong.MaxValue;
        while (reader.Next() is { } record)
        {
            cancellationToken.ThrowIfCancellationRequested();
            redo = Math.Min(redo, record.Lsn);
            if (FoundCheckpoint.Of(record) is { } found && found.Redo >= redo)
                (latest, earliest) = (found, earliest ?? found);
            each?.Invoke(record, newest.Major);
        }
        return new WalRemains
        {
            SystemIdentifier = newest.System,
            SegmentSize = newest.Size,
            Timeline = newest.Timeline,
            Latest = latest,
            Earliest = earliest,
            Major = newest.Major,
            End = reader.Position,
            Unfinished = EndOfRecord(files, reader.Position),
            GoesOnBehindAGap = newest.Address > reader.Position,
        };
    }

    private static ulong EndOfRecord(WalFiles files, ulong at)
    {
        var page = new byte[WalPageHeader.PageSize];
        var within = (int)(at % WalPageHeader.PageSize);
        return files.TryRead(at - (uint)within, page) && BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(within)) is >= WalRecord.HeaderSize and var length ? at + length : 0;
    }

    /// <summary>Segments whose first block is of this segment: recycled ones still carry the address of what they held before.</summary>
    private static List<Segment> Segments(string directory)
    {
        var found = new List<Segment>();
        var folder = Path.Combine(directory, "pg_wal");
        if (!Directory.Exists(folder))
            return found;
        Span<byte> head = stackalloc byte[LongHeader];
        foreach (var path in Directory.EnumerateFiles(folder))
        {
            var name = Path.GetFileName(path);
            if (name.Length != 24 || !uint.TryParse(name.AsSpan(0, 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var timeline)
                || !uint.TryParse(name.AsSpan(8, 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var high)
                || !uint.TryParse(name.AsSpan(16, 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var low))
                continue;
            using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (RandomAccess.Read(handle, head, 0) < LongHeader)
                continue;
            var header = WalPageHeader.Read(head);
            var size = BinaryPrimitives.ReadUInt32LittleEndian(head[32..]);
            if (header.Size != LongHeader || header.Major == 0 || size < 1 << 20 || (size & (size - 1)) != 0)
                continue;
            var address = ((ulong)high << 32) + ((ulong)low * size);
            if (header.IsAt(address))
                found.Add(new Segment(path, timeline, address, BinaryPrimitives.ReadUInt64LittleEndian(head[24..]), size, header.Major));
        }
        return [.. found.OrderBy(one => one.Timeline).ThenBy(one => one.Address)];
    }
}

/// <param name="Data">The record's CheckPoint.</param>
/// <param name="Shutdown">It was written by a clean stop.</param>
internal sealed record FoundCheckpoint(ulong Lsn, ulong End, byte[] Data, bool Shutdown)
{
    /// <summary>The record's header and that of its data (XLogRecord, XLogRecordDataHeaderShort).</summary>
    private const int DataAt = WalRecord.HeaderSize + 2;

    public ulong Redo => BinaryPrimitives.ReadUInt64LittleEndian(Data);

    /// <summary>The next transaction id at that time (CheckPoint.nextXid).</summary>
    public uint NextXid => BinaryPrimitives.ReadUInt32LittleEndian(Data.AsSpan(24));

    /// <returns>Null for any other record: resource manager XLOG, XLOG_CHECKPOINT_SHUTDOWN 0x00 and XLOG_CHECKPOINT_ONLINE 0x10.</returns>
    public static FoundCheckpoint? Of(WalRecord record) =>
        record.ResourceManager == 0 && (record.Info & 0xF0) is 0x00 or 0x10 && record.Blocks.Count == 0
        && record.Bytes.Length == DataAt + ControlFileText.CheckpointSize
            ? new FoundCheckpoint(record.Lsn, record.End, record.Bytes[DataAt..].ToArray(), (record.Info & 0xF0) == 0)
            : null;
}
