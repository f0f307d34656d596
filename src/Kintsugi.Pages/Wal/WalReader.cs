using Kintsugi.Pages.Files;

namespace Kintsugi.Pages.Wal;

/// <summary>Gives the reader WAL blocks, from pg_wal, an archive, or memory.</summary>
public interface IWalSource
{
    /// <summary>Bytes in a WAL segment.</summary>
    int SegmentSize { get; }

    /// <summary>Fills the 8 KiB block that begins at this LSN; false when its segment is not there.</summary>
    bool TryRead(ulong address, Span<byte> page);
}

/// <summary>Why no more records came.</summary>
public enum WalEnd
{
    /// <summary>There may be more.</summary>
    None,

    /// <summary>A segment is not there. In the middle of a range this is a gap: nothing may be concluded from it.</summary>
    Missing,

    /// <summary>A block that is not of this place: the end of what was written, or damage.</summary>
    PageInvalid,

    /// <summary>A record of impossible length, or zeros: the end of what was written, or damage.</summary>
    LengthInvalid,

    /// <summary>A record's CRC is wrong: torn at the end, or damage.</summary>
    ChecksumWrong,

    /// <summary>A record does not name the one before it: leftovers of a recycled segment.</summary>
    PreviousWrong,

    /// <summary>A record with a right CRC contradicts itself.</summary>
    RecordInvalid,
}

/// <summary>Reads WAL records of PostgreSQL 13-18 in order; what lies behind its <see cref="End"/> is unknown.</summary>
public sealed class WalReader
{
    private const int LongestRecord = 1020 * 1024 * 1024;

    private readonly IWalSource source;
    private readonly WalRecord record = new();
    private readonly byte[] page = new byte[WalPageHeader.PageSize];
    private byte[] buffer = new byte[WalPageHeader.PageSize];
    private WalPageHeader header;
    private ulong next;
    private ulong previous;
    private bool atStart = true;

    /// <summary>Reads from the first record that begins at or behind <paramref name="start"/>.</summary>
    public WalReader(IWalSource source, ulong start)
    {
        this.source = source;
        next = start;
    }

    /// <summary>Why reading stopped.</summary>
    public WalEnd End { get; private set; }

    /// <summary>Where the next record is looked for; after the end, where the last good one ended.</summary>
    public ulong Position => next;

    /// <summary>The next record, valid until the next call; null at the end.</summary>
    public WalRecord? Next()
    {
        while (End == WalEnd.None)
        {
            if (!Seek()) return null;
            var found = ReadRecord(out var again);
            if (!again) return found;
        }
        return null;
    }

    // Loads the block of the next record and steps over headers and, at the very start, over a record begun before.
    private bool Seek()
    {
        if (!atStart) return LoadFor(next);
        var block = next & ~(ulong)(WalPageHeader.PageSize - 1);
        if (!Load(block)) return false;
        var wanted = next;
        next = block + (uint)header.Size;
        var remaining = header.IsContinuation ? header.Remaining : 0;
        while (remaining > 0)
        {
            var here = (uint)(WalPageHeader.PageSize - header.Size);
            if (remaining < here)
            {
                next = Align(header.Address + (uint)header.Size + remaining);
                break;
            }
            remaining -= here;
            next = header.Address + WalPageHeader.PageSize;
            if (remaining == 0) break;
            if (!Load(next)) return false;
        }
        atStart = false;
        // Records before the wanted place are read and dropped: only they tell where the next one begins.
        while (next < wanted)
        {
            if (!LoadFor(next)) return false;
            if (ReadRecord(out _) is null && End != WalEnd.None) return false;
        }
        return LoadFor(next);
    }

    private bool LoadFor(ulong lsn)
    {
        var block = lsn & ~(ulong)(WalPageHeader.PageSize - 1);
        if (header.Address != block || header.Magic == 0)
            if (!Load(block)) return false;
        if (lsn - block < (uint)header.Size) next = block + (uint)header.Size;
        return true;
    }

    private bool Load(ulong address)
    {
        header = default;
        if (!source.TryRead(address, page)) return Stop(WalEnd.Missing);
        header = WalPageHeader.Read(page);
        if (header.IsAt(address) && header.Major != 0) return true;
        header = default;
        return Stop(WalEnd.PageInvalid);
    }

    private WalRecord? ReadRecord(out bool again)
    {
        again = false;
        var start = next;
        var timeline = header.Timeline;
        var at = (int)(start - header.Address);
        var total = LittleEndian.U32(page, at);
        if (total is < WalRecord.HeaderSize or > LongestRecord) return Fail(WalEnd.LengthInvalid);
        // Grown block by block below, so that a wild length reserves nothing.
        var have = Math.Min((int)total, WalPageHeader.PageSize - at);
        Append(0, page.AsSpan(at, have));
        var end = start + (uint)have;
        while (have < total)
        {
            if (!Load(header.Address + WalPageHeader.PageSize)) return null;
            if (header.OverwritesContinuation)
            {
                next = header.Address + (uint)header.Size;
                previous = 0;
                again = true;
                return null;
            }
            if (!header.IsContinuation || header.Remaining != total - have) return Fail(WalEnd.PageInvalid);
            var part = Math.Min((int)total - have, WalPageHeader.PageSize - header.Size);
            Append(have, page.AsSpan(header.Size, part));
            have += part;
            end = header.Address + (uint)(header.Size + part);
        }
        return Finish(start, Align(end), timeline, (int)total);
    }

    private WalRecord? Finish(ulong start, ulong end, uint timeline, int total)
    {
        var bytes = buffer.AsSpan(0, total);
        if (LittleEndian.U32(bytes, 20) != Crc32C.Compute(bytes[WalRecord.HeaderSize..], bytes[..20]))
            return Fail(WalEnd.ChecksumWrong);
        if (previous != 0 && LittleEndian.U64(bytes, 8) != previous) return Fail(WalEnd.PreviousWrong);
        record.Lsn = start;
        record.End = end;
        record.Timeline = timeline;
        record.Bytes = buffer.AsMemory(0, total);
        if (!WalRecordDecoder.Decode(bytes, header.Major, record.Blocks)) return Fail(WalEnd.RecordInvalid);
        previous = start;
        next = record.IsSwitch && end % (uint)source.SegmentSize != 0
            ? end + (uint)source.SegmentSize - end % (uint)source.SegmentSize
            : end;
        return record;
    }

    private void Append(int at, ReadOnlySpan<byte> part)
    {
        if (buffer.Length < at + part.Length) Array.Resize(ref buffer, Math.Max(buffer.Length * 2, at + part.Length));
        part.CopyTo(buffer.AsSpan(at));
    }

    private WalRecord? Fail(WalEnd end)
    {
        Stop(end);
        return null;
    }

    private bool Stop(WalEnd end)
    {
        End = end;
        return false;
    }

    private static ulong Align(ulong lsn) => (lsn + 7) & ~7ul;
}
