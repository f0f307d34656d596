using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Crossing;

/// <summary>One column of a btree index, and where its value stands in the table's rows.</summary>
/// <param name="Stored">Length and alignment within index entries.</param>
/// <param name="Column">The table's column from 0; -1 for an expression.</param>
/// <param name="Order">How values compare.</param>
/// <param name="IsDescending">Larger values first.</param>
/// <param name="NullsFirst">Nulls before all values.</param>
public readonly record struct KeyPart(HeapColumn Stored, int Column, KeyOrder Order, bool IsDescending, bool NullsFirst)
{
    /// <summary>A name in the table, which the index keeps as a C string (name_ops since 12).</summary>
    public bool IsCutAtZero { get; init; }

    /// <summary>The value of rows that are older than the column (attmissingval), without a varlena header; null for null.</summary>
    public byte[]? Missing { get; init; }
}
