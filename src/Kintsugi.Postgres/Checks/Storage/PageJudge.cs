using Kintsugi.Pages;

namespace Kintsugi.Postgres.Checks.Storage;

/// <summary>What is known of the pages of one fork before they are read.</summary>
/// <param name="Checksums">The cluster's pages carry checksums.</param>
/// <param name="Kind">What kind of pages they must be, where that is known.</param>
/// <param name="Standard">They have PostgreSQL's page layout (another table access method need not keep to it).</param>
/// <param name="Logged">Their changes are in the WAL, so that their LSN means a place in it.</param>
internal sealed record PageExpectation(bool Checksums, PageKind? Kind, bool Standard, bool Logged)
{
    /// <summary>Blocks of the file, where links of its pages must lead to one of them; 0 where that is not known.</summary>
    public long Blocks { get; init; }
}

/// <summary>What is wrong with one page, before it was looked at again.</summary>
internal sealed record Suspicion(FaultClass Fault, string Evidence);

/// <summary>The verdict on 8,192 bytes alone. Sound pages cost no allocation.</summary>
internal static class PageJudge
{
    /// <param name="page">The whole page.</param>
    /// <param name="block">Its number in the fork.</param>
    /// <param name="expected">What the fork's pages must be.</param>
    /// <param name="walEnd">No page can carry a later LSN; 0 when that is not known.</param>
    public static Suspicion? Look(ReadOnlySpan<byte> page, long block, PageExpectation expected, ulong walEnd)
    {
        var header = PageHeader.Read(page);
        if (header.IsNew)
            return PageHeader.IsAllZero(page) || !expected.Standard ? null : NewWithData(page);
        if (expected.Checksums && !PageChecksum.Matches(page, (uint)block))
            return WrongChecksum(page, block, header);
        if (!expected.Standard)
            return null;
        if (!header.IsPossible)
            return new Suspicion(Faults.PageInvalid, $"the page header is impossible: {Flaws(page)}");
        if (expected.Kind?.Misfit(page, header) is { } misfit)
            return new Suspicion(Faults.PageInvalid, $"the page does not belong here: {misfit}");
        if (expected is { Blocks: > 0, Kind: { } kind } && IndexLinks.Beyond(page, header, kind.Name, block, expected.Blocks)
            is { } link)
            return new Suspicion(Faults.FileTruncated,
                $"block {block} leads to block {link}, but the file ends after {expected.Blocks} blocks");
        return expected.Logged && walEnd != 0 && header.Lsn > walEnd
            ? new Suspicion(Faults.PageStale,
            $"the page claims a change at LSN {Lsn(header.Lsn)}, but the WAL ends at {Lsn(walEnd)}")
            : null;
    }

    public static string Lsn(ulong lsn) => $"{lsn >> 32:X}/{(uint)lsn:X}";

    private static Suspicion NewWithData(ReadOnlySpan<byte> page) =>
        new(Faults.PageInvalid, $"pd_upper is 0 as on a page that was never written, but there is data from byte "
            + $"{page.IndexOfAnyExcept((byte)0)} on");

    private static Suspicion WrongChecksum(ReadOnlySpan<byte> page, long block, in PageHeader header)
    {
        var text = $"the stored checksum is {PageChecksum.Stored(page):X4}, the bytes give "
            + $"{PageChecksum.Compute(page, (uint)block):X4}; LSN {Lsn(header.Lsn)}";
        return new Suspicion(Faults.PageChecksum, header.IsPossible ? text
            : $"{text}; the page header is impossible too: {Flaws(page)}");
    }

    private static string Flaws(ReadOnlySpan<byte> page)
    {
        var flaws = new List<Flaw>();
        PageHeader.Inspect(page, flaws);
        return string.Join("; ", flaws.Select(flaw => flaw.Describe()));
    }
}
