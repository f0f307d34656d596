using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Files;

/// <summary>Where an entry of a log kept in segments of 32 pages stands (slru.c).</summary>
/// <param name="Segment">Number of the file.</param>
/// <param name="Offset">Byte within the file.</param>
public readonly record struct LogPlace(uint Segment, int Offset)
{
    /// <summary>Pages in one file.</summary>
    public const int PagesPerSegment = 32;

    /// <summary>Bytes of a whole file.</summary>
    public const int SegmentSize = PagesPerSegment * PageFormat.Size;

    /// <summary>Name of the file in its directory.</summary>
    public string FileName => Segment.ToString("X4", System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>pg_xact: two bits for each transaction (clog.c).</summary>
public static class CommitLog
{
    /// <summary>Transactions in one file.</summary>
    public const uint PerSegment = LogPlace.SegmentSize * 4u;

    /// <summary>Where a transaction's bits stand.</summary>
    public static LogPlace PlaceOf(uint xid) => new(xid / PerSegment, (int)(xid % PerSegment / 4));

    /// <summary>How the transaction ended by the bytes of its segment; unknown when they do not reach it.</summary>
    public static XidOutcome Read(ReadOnlySpan<byte> segment, uint xid)
    {
        var place = PlaceOf(xid);
        return place.Offset < segment.Length
            ? (XidOutcome)((segment[place.Offset] >> (int)(xid % 4 * 2)) & 3)
            : XidOutcome.Unknown;
    }
}

/// <summary>pg_multixact/offsets and members: the transactions that share one tuple's xmax (multixact.c, up to 18).</summary>
public static class MultiXactLog
{
    private const uint OffsetsPerSegment = LogPlace.SegmentSize / 4;
    private const int MembersPerGroup = 4;
    private const int GroupSize = MembersPerGroup + MembersPerGroup * 4;
    private const int GroupsPerPage = PageFormat.Size / GroupSize;
    private const uint MembersPerPage = GroupsPerPage * MembersPerGroup;
    private const uint MembersPerSegment = MembersPerPage * LogPlace.PagesPerSegment;

    /// <summary>Where in pg_multixact/offsets a multixact's first member number stands (four bytes).</summary>
    public static LogPlace PlaceOfOffset(uint multi) => new(multi / OffsetsPerSegment, (int)(multi % OffsetsPerSegment * 4));

    /// <summary>Where in pg_multixact/members a member's transaction id stands (four bytes).</summary>
    public static LogPlace PlaceOfMember(uint member) => new(member / MembersPerSegment,
        Group(member) + MembersPerGroup + (int)(member % MembersPerGroup) * 4);

    /// <summary>Where a member's status byte stands: 0-3 are locks, 4 and 5 are updates.</summary>
    public static LogPlace PlaceOfStatus(uint member) => new(member / MembersPerSegment,
        Group(member) + (int)(member % MembersPerGroup));

    private static int Group(uint member) =>
        (int)(member % MembersPerSegment / MembersPerPage) * PageFormat.Size
        + (int)(member % MembersPerPage / MembersPerGroup) * GroupSize;
}
