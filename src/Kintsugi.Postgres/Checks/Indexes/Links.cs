using Kintsugi.Pages.Indexes;

namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>Which pages of an index lead to which: a page that is led to must be there and be one of this index.</summary>
internal sealed class Links(int blocks)
{
    private const uint Nobody = uint.MaxValue;

    private readonly uint[] ledToBy = NewArray(blocks);
    private readonly bool[] empty = new bool[blocks];
    private readonly List<(uint Page, uint Parent)> outside = [];
    private readonly List<(long Page, string Why)> wrong = [];

    public void Take(ReadOnlySpan<byte> page, long block, IndexKind kind, IndexPageContent content, string? why)
    {
        if (why is not null)
        {
            if (wrong.Count < Suspicions.Most)
                wrong.Add((block, why));
            return;
        }
        empty[block] = content.Role == IndexPageRole.New;
        foreach (var child in content.Children)
            Follow(child.Tid.Block, block);
        foreach (var sibling in IndexPages.Siblings(kind, page, content.Role))
            Follow(sibling, block);
    }

    public IEnumerable<StructureSuspicion> Broken(Located index)
    {
        foreach (var (page, why) in wrong)
            yield return new StructureSuspicion(index, page, -1, why);
        foreach (var (page, parent) in outside)
            yield return new StructureSuspicion(index, page, parent, $"page {parent} leads to page {page}, which lies behind the end of the file");
        for (var page = 0; page < empty.Length; page++)
            if (empty[page] && ledToBy[page] != Nobody)
                yield return new StructureSuspicion(index, page, ledToBy[page], $"page {ledToBy[page]} leads to page {page}, which is all zero");
    }

    private void Follow(uint target, long from)
    {
        if (target < ledToBy.Length)
            ledToBy[target] = (uint)from;
        else if (outside.Count < Suspicions.Most)
            outside.Add((target, (uint)from));
    }

    private static uint[] NewArray(int blocks)
    {
        var array = new uint[blocks];
        array.AsSpan().Fill(Nobody);
        return array;
    }
}
