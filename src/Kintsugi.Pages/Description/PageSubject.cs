using Kintsugi.Pages.Heap;
using Kintsugi.Pages.Indexes;

namespace Kintsugi.Pages.Description;

/// <summary>What the caller knows about the page to be described.</summary>
public sealed record PageSubject
{
    /// <summary>Block number within the fork.</summary>
    public required uint Block { get; init; }

    /// <summary>0 main, 1 free space map, 2 visibility map, 3 init.</summary>
    public int Fork { get; init; }

    /// <summary>The access method by the catalog; None when not known or no index.</summary>
    public IndexKind Index { get; init; }

    /// <summary>Whether the page is of a TOAST table.</summary>
    public bool IsToast { get; init; }

    /// <summary>Whether pages carry checksums.</summary>
    public bool HasChecksums { get; init; } = true;

    /// <summary>What is known for heap pages; the block number is filled in from here.</summary>
    public HeapExpectations Heap { get; init; } = HeapExpectations.Nothing;

    /// <summary>Names of the columns, for heap pages.</summary>
    public IReadOnlyList<string>? ColumnNames { get; init; }
}
