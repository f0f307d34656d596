using Kintsugi.Pages.Files;
using Kintsugi.Pages.Heap;
using Kintsugi.Pages.Indexes;

namespace Kintsugi.Pages.Description;

/// <summary>Takes any page apart for people; never throws, whatever the bytes.</summary>
public static class PageDescriber
{
    /// <summary>Describes a page of 8 KiB. Without a catalog the kind is recognised from the page itself.</summary>
    public static PageDescription Describe(ReadOnlySpan<byte> page, PageSubject subject)
    {
        var flaws = new List<Flaw>();
        if (page.Length != PageFormat.Size)
        {
            PageHeader.Inspect(page, flaws);
            return new PageDescription("unknown", subject.Block, new PageField("page", 0, page.Length, ""), flaws);
        }
        var header = PageHeader.Read(page);
        if (subject.HasChecksums && !header.IsNew && !PageChecksum.Matches(page, subject.Block))
            flaws.Add(new Flaw(FlawKind.ChecksumMismatch, 8, Actual: header.Checksum,
                Expected: PageChecksum.Compute(page, subject.Block)));
        var kind = KindOf(page, header, subject);
        var parts = new List<PageField>();
        switch (kind)
        {
            case "new": PageHeader.Inspect(page, flaws); break;
            case "free space map": MapDescriber.FreeSpace(page, parts, flaws); break;
            case "visibility map": MapDescriber.Visibility(page, subject, parts, flaws); break;
            case "sequence": MapDescriber.Sequence(page, parts, flaws); break;
            case "heap" or "toast": HeapDescriber.Describe(page, header, subject, parts, flaws); break;
            case "unknown": PageHeader.Inspect(page, flaws); break;
            default: IndexDescriber.Describe(page, header, subject, parts, flaws); break;
        }
        parts.Insert(0, Header(header, flaws));
        return new PageDescription(kind, subject.Block, new PageField("page", 0, page.Length, "") { Fields = parts }, flaws);
    }

    internal static List<string> WrongAt(List<Flaw> flaws, int at, int length) =>
        [.. flaws.Where(flaw => flaw.Item == 0 && flaw.At >= at && flaw.At < at + length).Select(flaw => flaw.Describe())];

    internal static List<string> WrongWith(List<Flaw> flaws, int item) =>
        [.. flaws.Where(flaw => flaw.Item == item).Select(flaw => flaw.Describe())];

    private static string KindOf(ReadOnlySpan<byte> page, in PageHeader header, PageSubject subject)
    {
        if (header.IsNew) return "new";
        if (subject.Fork == 1) return "free space map";
        if (subject.Fork == 2) return "visibility map";
        if (subject.Index != IndexKind.None) return Name(subject.Index);
        if (header.Special == PageFormat.Size || subject.Heap.Columns is not null) return subject.IsToast ? "toast" : "heap";
        if (header.Special == PageFormat.Size - 8 && LittleEndian.U32(page, header.Special) == SequencePage.Magic)
            return "sequence";
        var found = IndexKinds.Detect(page);
        return found == IndexKind.None ? "unknown" : Name(found);
    }

    private static string Name(IndexKind kind) => kind switch
    {
        IndexKind.Btree => "btree",
        IndexKind.Gin => "gin",
        IndexKind.Gist => "gist",
        IndexKind.SpGist => "spgist",
        IndexKind.Hash => "hash",
        _ => "brin",
    };

    private static PageField Header(in PageHeader header, List<Flaw> flaws)
    {
        PageField Field(string name, int at, int length, string value) =>
            new(name, at, length, value) { Wrong = WrongAt(flaws, at, length) };
        return new PageField("header", 0, PageFormat.HeaderSize, "")
        {
            Fields =
            [
                Field("pd_lsn", 0, 8, $"{header.Lsn >> 32:X}/{header.Lsn & 0xFFFFFFFF:X}"),
                Field("pd_checksum", 8, 2, $"0x{header.Checksum:X4}"),
                Field("pd_flags", 10, 2, $"{(PageFlagBits)header.Flags}"),
                Field("pd_lower", 12, 2, $"{header.Lower}"),
                Field("pd_upper", 14, 2, $"{header.Upper}"),
                Field("pd_special", 16, 2, $"{header.Special}"),
                Field("pd_pagesize_version", 18, 2, $"{header.SizeAndVersion & 0xFF00}, layout {header.SizeAndVersion & 0xFF}"),
                Field("pd_prune_xid", 20, 4, $"{header.PruneXid}"),
            ],
        };
    }
}
