namespace Kintsugi.Pages.Indexes;

/// <summary>One pointer that stands on an index page.</summary>
/// <param name="Tid">The heap row, or block (and item) of the index itself for a child.</param>
/// <param name="Item">Line pointer number of the entry that holds it, 0 on pages without line pointers.</param>
/// <param name="At">Byte offset of the pointer on the page, or of the packed list that holds it.</param>
/// <param name="IsKilled">Whether a scan marked the entry as leading to a row dead to everyone.</param>
public readonly record struct IndexEntry(Tid Tid, int Item, int At, bool IsKilled = false);

/// <summary>What was read from one index page. Reused from page to page, so that a scan allocates nothing.</summary>
public sealed class IndexPageContent
{
    /// <summary>What the page is for.</summary>
    public IndexPageRole Role { get; internal set; }

    /// <summary>Every heap row that the page points at.</summary>
    public List<IndexEntry> Rows { get; } = [];

    /// <summary>Every page of the index that the page points at.</summary>
    public List<IndexEntry> Children { get; } = [];

    /// <summary>What is impossible about the page.</summary>
    public List<Flaw> Flaws { get; } = [];

    /// <summary>Whether the page is of its index and nothing about it is impossible, so that the lists are complete.</summary>
    public bool IsTrustworthy => Role != IndexPageRole.Impossible && Flaws.Count == 0;

    internal void Clear()
    {
        Role = IndexPageRole.Impossible;
        Rows.Clear();
        Children.Clear();
        Flaws.Clear();
    }

    internal void AddRow(Tid tid, int item, int at, bool killed = false)
    {
        if (!tid.IsPossible)
            Flaws.Add(new Flaw(FlawKind.HeapTidImpossible, at, item, Actual: tid.Block, Expected: tid.Item));
        else Rows.Add(new IndexEntry(tid, item, at, killed));
    }

    internal void AddChild(uint block, int item, int at, int offset = 0) =>
        Children.Add(new IndexEntry(new Tid(block, offset), item, at));

    internal void Add(FlawKind kind, int at, int item = 0, long actual = 0, long expected = 0) =>
        Flaws.Add(new Flaw(kind, at, item, Actual: actual, Expected: expected));
}
