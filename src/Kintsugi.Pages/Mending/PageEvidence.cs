using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Mending;

/// <summary>What is known about a damaged heap page from elsewhere. Whatever is left out is not believed either way.</summary>
/// <param name="Expected">Columns, horizons, commit log; see there.</param>
public sealed record PageEvidence(HeapExpectations Expected)
{
    /// <summary>
    /// Line pointers of this block that entries of one index lead to; null when none was read to its end. The index must be sound and
    /// hold every row (not partial, not BRIN).
    /// </summary>
    public IReadOnlySet<int>? Indexed { get; init; }

    /// <summary>Witnesses from elsewhere that a row is alive, by line pointer: rows that refer to it, a replica that has it.</summary>
    public IReadOnlyDictionary<int, IReadOnlyList<Witness>> Alive { get; init; } = new Dictionary<int, IReadOnlyList<Witness>>();
}
