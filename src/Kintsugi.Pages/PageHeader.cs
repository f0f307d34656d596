using System.Buffers.Binary;

namespace Kintsugi.Pages;

/// <summary>Bits of pd_flags (bufpage.h).</summary>
[Flags]
public enum PageFlagBits
{
    /// <summary>No bit set.</summary>
    None = 0,

    /// <summary>Some line pointers may be unused (a hint).</summary>
    HasFreeLines = 1,

    /// <summary>An update found no room (a hint).</summary>
    Full = 2,

    /// <summary>Every tuple on the page is visible to everyone.</summary>
    AllVisible = 4,
}

/// <summary>The first 24 bytes of every page (PageHeaderData in bufpage.h).</summary>
public readonly record struct PageHeader(
    ulong Lsn, ushort Checksum, ushort Flags, int Lower, int Upper, int Special, ushort SizeAndVersion, uint PruneXid)
{
    /// <summary>Reads the header of a page of at least 24 bytes.</summary>
    public static PageHeader Read(ReadOnlySpan<byte> page) => new(
        ((ulong)BinaryPrimitives.ReadUInt32LittleEndian(page) << 32) | BinaryPrimitives.ReadUInt32LittleEndian(page[4..]),
        Word(page, 8), Word(page, 10), Word(page, 12), Word(page, 14), Word(page, 16), Word(page, 18),
        BinaryPrimitives.ReadUInt32LittleEndian(page[20..]));

    /// <summary>Whether the page was added to the file and never initialised (PageIsNew).</summary>
    public bool IsNew => Upper == 0;

    /// <summary>Line pointers on the page by pd_lower, never more than fit the page.</summary>
    public int ItemCount
    {
        get
        {
            var end = Math.Min(Lower, PageFormat.Size);
            return end <= PageFormat.HeaderSize ? 0 : (end - PageFormat.HeaderSize) / PageFormat.LinePointerSize;
        }
    }

    /// <summary>Whether every tuple on the page claims to be visible to everyone.</summary>
    public bool IsAllVisible => (Flags & (int)PageFlagBits.AllVisible) != 0;

    /// <summary>Bytes of the special space when pd_special is possible, else 0.</summary>
    public int SpecialSize => Special is >= PageFormat.HeaderSize and <= PageFormat.Size ? PageFormat.Size - Special : 0;

    /// <summary>Whether lower, upper, special, flags and version can be true together; stronger than PageIsVerified.</summary>
    public bool IsPossible =>
        SizeAndVersion == PageFormat.SizeAndVersion && (Flags & ~7) == 0
        && Lower >= PageFormat.HeaderSize && Lower <= Upper && Upper <= Special && Special <= PageFormat.Size
        && (Upper & 7) == 0 && (Special & 7) == 0;

    /// <summary>Whether all bytes are zero: legal behind the end of what was written, or a lost page.</summary>
    public static bool IsAllZero(ReadOnlySpan<byte> page) => page.IndexOfAnyExcept((byte)0) < 0;

    /// <summary>Adds what is impossible about the page's header; nothing for a sound page or an all-zero one.</summary>
    /// <param name="page">The whole page.</param>
    /// <param name="flaws">Receives the flaws.</param>
    /// <param name="walEnd">No page can carry a later LSN than the end of the WAL; 0 when that is not known.</param>
    public static void Inspect(ReadOnlySpan<byte> page, ICollection<Flaw> flaws, ulong walEnd = 0)
    {
        if (page.Length != PageFormat.Size)
        {
            flaws.Add(new Flaw(FlawKind.PageTruncated, page.Length, Actual: page.Length, Expected: PageFormat.Size));
            return;
        }
        var header = Read(page);
        if (header.IsNew)
        {
            var data = page.IndexOfAnyExcept((byte)0);
            if (data >= 0) flaws.Add(new Flaw(FlawKind.NewPageWithData, data, Actual: page[data]));
            return;
        }
        header.InspectFields(flaws);
        if (walEnd != 0 && header.Lsn > walEnd)
            flaws.Add(new Flaw(FlawKind.LsnBeyondWal, 0, Actual: (long)header.Lsn, Expected: (long)walEnd));
    }

    private void InspectFields(ICollection<Flaw> flaws)
    {
        if (SizeAndVersion != PageFormat.SizeAndVersion)
            flaws.Add(new Flaw(FlawKind.PageVersion, 18, Actual: SizeAndVersion, Expected: PageFormat.SizeAndVersion));
        if ((Flags & ~7) != 0) flaws.Add(new Flaw(FlawKind.PageFlagsUnknown, 10, Actual: Flags, Expected: 7));
        if (Lower < PageFormat.HeaderSize)
            flaws.Add(new Flaw(FlawKind.LowerTooSmall, 12, Actual: Lower, Expected: PageFormat.HeaderSize));
        if (Lower > Upper) flaws.Add(new Flaw(FlawKind.LowerBeyondUpper, 12, Actual: Lower, Expected: Upper));
        if (Upper > Special) flaws.Add(new Flaw(FlawKind.UpperBeyondSpecial, 14, Actual: Upper, Expected: Special));
        if ((Upper & 7) != 0) flaws.Add(new Flaw(FlawKind.UpperMisaligned, 14, Actual: Upper, Expected: PageFormat.Align(Upper)));
        if (Special > PageFormat.Size)
            flaws.Add(new Flaw(FlawKind.SpecialBeyondPage, 16, Actual: Special, Expected: PageFormat.Size));
        if ((Special & 7) != 0)
            flaws.Add(new Flaw(FlawKind.SpecialMisaligned, 16, Actual: Special, Expected: PageFormat.Align(Special)));
    }

    private static ushort Word(ReadOnlySpan<byte> page, int at) => BinaryPrimitives.ReadUInt16LittleEndian(page[at..]);
}
