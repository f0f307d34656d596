using System.Buffers.Binary;
using Kintsugi.Pages;
using Kintsugi.Postgres.Files.Reading;

namespace Kintsugi.Postgres.Checks.Storage;

/// <summary>
/// What tells a page of one kind of file from that of another: the size of the special space at its end and the mark in it
/// (itup.h, nbtree.h, hash.h, gist.h, spgist_private.h, ginblock.h, brin_page.h, sequence.c, fsm_internals.h).
/// A page written to the wrong file has a right checksum if its block number is the same; this sees it all the same.
/// </summary>
/// <param name="Name">For people: heap, btree, visibility map …</param>
/// <param name="Special">Bytes of the special space.</param>
/// <param name="Mark">Lowest and highest value of the last two bytes of the special space; 0 and 0xFFFF where they say
/// nothing.</param>
internal sealed record PageKind(string Name, int Special, int MarkFrom = 0, int MarkTo = 0xFFFF)
{
    private const ushort LastCycleId = 0xFF7F, LastGinFlags = 0xFF;

    /// <summary>sequence_magic in sequence.c.</summary>
    private const uint SequenceMagic = 0x1717;

    private static readonly PageKind Heap = new("heap", 0), Map = new("map", 0), Sequence = new("sequence", 8),
        BTree = new("btree", 16, 0, LastCycleId), Hash = new("hash", 16, 0xFF80, 0xFF80), Gist = new("gist", 16, 0xFF81, 0xFF81),
        SpGist = new("spgist", 8, 0xFF82, 0xFF82), Bloom = new("bloom", 8, 0xFF83, 0xFF83), Gin = new("gin", 8, 0, LastGinFlags),
        Brin = new("brin", 8, 0xF091, 0xF093);

    private static readonly PageKind[] Known = [Heap, Sequence, BTree, Hash, Gist, SpGist, Bloom, Gin, Brin];

    /// <summary>The kind of that relation's pages in that fork, or null where nothing is known (an access method of somebody
    /// else).</summary>
    public static PageKind? Of(Relation relation, string fork) => fork is Forks.Vm or Forks.Fsm ? Map : relation switch
    {
        { Kind: 'S' } => Sequence,
        { Kind: 'i' } => Array.Find(Known, kind => kind.Name == relation.AccessMethod),
        { AccessMethod: "heap" } => Heap,
        _ => null,
    };

    /// <summary>Why a page with a possible header is not of this kind, or null.</summary>
    public string? Misfit(ReadOnlySpan<byte> page, in PageHeader header)
    {
        if (Fits(page, header))
            return null;
        var seen = Recognize(page, header);
        var mark = Special == 0 ? "" : $", with a mark of {Name} at its end";
        return $"it is no {Name} page: its special space has {header.SpecialSize} bytes, {Special} were expected{mark}"
            + (seen is null ? "" : $"; it looks like a page of a {seen}");
    }

    /// <summary>The only kind that such a page can be, for the evidence.</summary>
    private static string? Recognize(ReadOnlySpan<byte> page, in PageHeader header)
    {
        string? name = null;
        foreach (var kind in Known)
        {
            if (!kind.Fits(page, header))
                continue;
            if (name is not null)
                return null;
            name = kind.Name;
        }
        return name;
    }

    private bool Fits(ReadOnlySpan<byte> page, in PageHeader header)
    {
        if (header.SpecialSize != Special)
            return false;
        // Both maps fill the page from the header on and have no line pointers.
        if (ReferenceEquals(this, Map))
            return header.Lower == PageFormat.HeaderSize && header.Upper == PageFormat.Size;
        if (ReferenceEquals(this, Sequence))
            return BinaryPrimitives.ReadUInt32LittleEndian(page[header.Special..]) == SequenceMagic;
        if (Special == 0)
            return true;
        var mark = BinaryPrimitives.ReadUInt16LittleEndian(page[(PageFormat.Size - 2)..]);
        return mark >= MarkFrom && mark <= MarkTo;
    }
}
