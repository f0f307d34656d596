using System.Buffers.Binary;
using Kintsugi.Pages;

namespace Kintsugi.Postgres.Checks.Storage;

/// <summary>LSN and checksum of every page of a main fork, as one pass sees them.</summary>
internal sealed class PageTrack(Relation relation, string path, bool checksums, DateTimeOffset began)
{
    private readonly Dictionary<int, (byte[] Pages, int Count)> segments = [];

    public void Note(long block, ReadOnlySpan<byte> page)
    {
        var segment = (int)(block / PageFormat.BlocksPerSegment);
        var at = (int)(block % PageFormat.BlocksPerSegment);
        var (pages, count) = segments.GetValueOrDefault(segment, (new byte[16 * PageRecord.BytesPerPage], 0));
        if (pages.Length < (at + 1) * PageRecord.BytesPerPage)
            Array.Resize(ref pages, Math.Min(Math.Max(pages.Length * 2, (at + 1) * PageRecord.BytesPerPage), (int)PageFormat.BlocksPerSegment * PageRecord.BytesPerPage));
        var header = PageHeader.Read(page);
        var place = pages.AsSpan(at * PageRecord.BytesPerPage, PageRecord.BytesPerPage);
        BinaryPrimitives.WriteUInt64LittleEndian(place, header.IsNew ? 0 : header.Lsn);
        BinaryPrimitives.WriteUInt16LittleEndian(place[8..], header.IsNew ? (ushort)0 : checksums ? header.Checksum : PageChecksum.Compute(page, (uint)block));
        segments[segment] = (pages, Math.Max(count, at + 1));
    }

    /// <summary>What is to be kept: with the age that it has when the last pass saw the very same.</summary>
    public IEnumerable<PageRecord> Records(IReadOnlyList<PageRecord> before, uint timeline) =>
        segments.Select(it =>
        {
            var pages = it.Value.Pages.AsMemory(0, it.Value.Count * PageRecord.BytesPerPage);
            var old = Before(before, it.Key, timeline);
            var isSame = old is not null && old.Pages.Span.SequenceEqual(pages.Span);
            return new PageRecord(path, it.Key, relation.Oid, timeline, Highest(pages.Span), pages, isSame ? old!.Since : began, began);
        });

    /// <summary>Blocks with an older LSN than they had: none of them may rightly be so, but for what the caller knows.</summary>
    public IEnumerable<(long Block, ulong Lsn, DateTimeOffset Seen)> Older(IReadOnlyList<PageRecord> before, uint timeline)
    {
        foreach (var (segment, (pages, count)) in segments)
        {
            if (Before(before, segment, timeline) is not { } old)
                continue;
            for (var at = 0; at < Math.Min(count, old.Pages.Length / PageRecord.BytesPerPage); at++)
            {
                var (then, now) = (LsnAt(old.Pages.Span, at), LsnAt(pages, at));
                // Without a place in the WAL there is no older: a page that is to be written anew, one of a bulk load that was not logged.
                if (now < then && now >= FirstLsn)
                    yield return ((segment * (long)PageFormat.BlocksPerSegment) + at, then, old.Seen);
            }
        }
    }

    /// <summary>The WAL begins with its second segment, and no segment is smaller than a MiB; below are marks, no places (xlogdefs.h).</summary>
    private const ulong FirstLsn = 1 << 20;

    public static ulong LsnAt(ReadOnlySpan<byte> pages, int at) => BinaryPrimitives.ReadUInt64LittleEndian(pages[(at * PageRecord.BytesPerPage)..]);

    private PageRecord? Before(IReadOnlyList<PageRecord> before, int segment, uint timeline) =>
        before.FirstOrDefault(record => record.Path == path && record.Segment == segment && record.Relation == relation.Oid && record.Timeline == timeline);

    private static ulong Highest(ReadOnlySpan<byte> pages)
    {
        var highest = 0UL;
        for (var at = 0; at < pages.Length / PageRecord.BytesPerPage; at++)
            highest = Math.Max(highest, LsnAt(pages, at));
        return highest;
    }
}
