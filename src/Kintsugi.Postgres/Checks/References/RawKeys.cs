using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Pages.Indexes;

namespace Kintsugi.Postgres.Checks.References;

/// <summary>The columns of a key as they lie in a relation's tuples, and how a key is told from another: by its bytes, integers by their value.</summary>
/// <param name="Columns">All columns of a table; of an index those up to the last that matters.</param>
/// <param name="Numbers">Which of them make the key, counted from 0, in the order of the foreign key.</param>
internal sealed record RawKeys(HeapColumn[] Columns, int[] Numbers)
{
    private const string Sql =
        "SELECT attlen, attalign::pg_catalog.text, atttypid, attnum, attname::pg_catalog.text FROM pg_catalog.pg_attribute "
        + "WHERE attrelid = $1 AND attnum > 0 ORDER BY attnum";

    private sealed record Attribute(HeapColumn Column, int Number, string Name);

    /// <returns>Null where the catalog does not have all of the columns.</returns>
    public static async ValueTask<RawKeys?> OfTable(
        Relation table, IReadOnlyList<string> names, IReadSession session, CancellationToken cancellationToken)
    {
        var all = await Read(table, session, cancellationToken);
        var numbers = names.Select(name => all.FindIndex(column => column.Name == name)).ToArray();
        return numbers.Contains(-1) || all.Where((column, at) => column.Number != at + 1).Any()
            ? null : new RawKeys([.. all.Select(column => column.Column)], numbers);
    }

    /// <returns>Null where the index does not hold each of the table's columns as it is.</returns>
    public static async ValueTask<RawKeys?> OfIndex(
        Relation index, Relation table, IReadOnlyList<string> names, IReadSession session, CancellationToken cancellationToken)
    {
        var keys = await session.Rows("SELECT indkey::pg_catalog.int2[] FROM pg_catalog.pg_index WHERE indexrelid = $1",
            row => row.GetFieldValue<short[]>(0), cancellationToken, index.Oid);
        var own = await Read(index, session, cancellationToken);
        var columns = await Read(table, session, cancellationToken);
        if (keys is not [var key] || own.Where((column, at) => column.Number != at + 1).Any())
            return null;
        var numbers = names.Select(name => columns.Find(column => column.Name == name) is { Number: var number }
            ? Array.IndexOf(key, (short)number) : -1).ToArray();
        return numbers.Contains(-1) || numbers.Max() >= own.Count ? null
            : new RawKeys([.. own.Take(numbers.Max() + 1).Select(column => column.Column)], numbers);
    }

    /// <summary>All key columns of an index, whatever they are computed from.</summary>
    public static async ValueTask<RawKeys> OfKey(Relation index, IReadSession session, CancellationToken cancellationToken)
    {
        var own = await Read(index, session, cancellationToken);
        var count = Math.Min(index.Index!.KeyColumns, own.Count);
        return new RawKeys([.. own.Take(count).Select(column => column.Column)], [.. Enumerable.Range(0, count)]);
    }

    /// <returns>The key of a heap tuple, null where part of it is null, out of line or cannot be found.</returns>
    public string? OfTuple(ReadOnlySpan<byte> tuple)
    {
        var slices = new AttributeSlice[Columns.Length];
        // What cannot be found is marked unreadable, a key before it counts all the same.
        TupleReader.Deform(tuple, Columns, slices);
        return Text(tuple, slices);
    }

    /// <summary>The same of an entry of a btree.</summary>
    public string? OfEntry(ReadOnlySpan<byte> entry)
    {
        var slices = new AttributeSlice[Columns.Length];
        return IndexKeys.TryRead(entry, Columns, slices) ? Text(entry, slices) : null;
    }

    private string? Text(ReadOnlySpan<byte> bytes, AttributeSlice[] slices)
    {
        var parts = new string[Numbers.Length];
        for (var i = 0; i < Numbers.Length; i++)
        {
            var slice = slices[Numbers[i]];
            if (slice.Form is not (AttributeForm.Fixed or AttributeForm.Plain or AttributeForm.Packed or AttributeForm.CString))
                return null;
            parts[i] = Value(slice.Data(bytes), Columns[Numbers[i]].TypeId);
        }
        return string.Join('.', parts);
    }

    /// <summary>bigint, smallint and integer compare by value with each other; of all other types equal values of one type are told by bytes.</summary>
    private static string Value(ReadOnlySpan<byte> data, uint type) => type switch
    {
        20 when data.Length == 8 => $"#{BitConverter.ToInt64(data)}",
        21 when data.Length == 2 => $"#{BitConverter.ToInt16(data)}",
        23 when data.Length == 4 => $"#{BitConverter.ToInt32(data)}",
        _ => Convert.ToHexString(data),
    };

    private static async ValueTask<List<Attribute>> Read(Relation relation, IReadSession session, CancellationToken cancellationToken) =>
        [.. await session.Rows(Sql, row => new Attribute(
            new HeapColumn(row.GetInt16(0), HeapColumn.AlignmentOf(row.GetString(1)[0]), row.GetFieldValue<uint>(2)), row.GetInt16(3), row.GetString(4)),
            cancellationToken, relation.Oid)];
}
