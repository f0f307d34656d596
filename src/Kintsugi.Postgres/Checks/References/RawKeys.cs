using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Pages.Indexes;

namespace Kintsugi.Postgres.Checks.References;

/// <summary>The columns of a key as they lie in a relation's tuples, and how a key is told from another.</summary>
/// <param name="Columns">All columns of a table; of an index those up to the last that matters.</param>
/// <param name="Numbers">Which of them make the key, counted from 0, in the order of the foreign key.</param>
/// <param name="Kinds">Form and base type of each of these.</param>
internal sealed record RawKeys(HeapColumn[] Columns, int[] Numbers, (KeyForm Form, uint Type)[] Kinds)
{
    private const string Sql = """
        SELECT a.attlen, a.attalign::pg_catalog.text, a.atttypid, a.attnum, a.attname::pg_catalog.text, coalesce(b.oid, 0::pg_catalog.oid), coalesce(b.typtype = 'e', false),
               coalesce(l.collisdeterministic, true)
        FROM pg_catalog.pg_attribute a
        LEFT JOIN LATERAL (
          WITH RECURSIVE d(oid, base, typtype) AS (
            SELECT t.oid, t.typbasetype, t.typtype FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid
            UNION ALL SELECT t.oid, t.typbasetype, t.typtype FROM d JOIN pg_catalog.pg_type t ON t.oid = d.base)
          SELECT d.oid, d.typtype FROM d WHERE d.base = 0) b ON true
        LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
        WHERE a.attrelid = $1 AND a.attnum > 0 ORDER BY a.attnum
        """;

    private sealed record Attribute(HeapColumn Column, int Number, string Name, KeyForm Form, uint Type);

    /// <summary>Whether equal keys of the two can be told from their bytes; else only the server can.</summary>
    public bool IsComparableWith(RawKeys other) => Kinds.Length == other.Kinds.Length && Kinds.Zip(other.Kinds).All(pair =>
        pair.First.Form != KeyForm.Unknown && pair.First.Form == pair.Second.Form && (pair.First.Form != KeyForm.Bytes || pair.First.Type == pair.Second.Type));

    /// <returns>Null where the catalog does not have all of the columns.</returns>
    public static async ValueTask<RawKeys?> OfTable(
        Relation table, IReadOnlyList<string> names, IReadSession session, CancellationToken cancellationToken)
    {
        var all = await Read(table, session, cancellationToken);
        var numbers = names.Select(name => all.FindIndex(column => column.Name == name)).ToArray();
        return numbers.Contains(-1) || all.Where((column, at) => column.Number != at + 1).Any()
            ? null : new RawKeys([.. all.Select(column => column.Column)], numbers, [.. numbers.Select(number => (all[number].Form, all[number].Type))]);
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
            : new RawKeys([.. own.Take(numbers.Max() + 1).Select(column => column.Column)], numbers,
                [.. names.Select(name => columns.Find(column => column.Name == name)!).Select(column => (column.Form, column.Type))]);
    }

    /// <summary>All key columns of an index, whatever they are computed from: told apart by their very bytes.</summary>
    public static async ValueTask<RawKeys> OfKey(Relation index, IReadSession session, CancellationToken cancellationToken)
    {
        var own = await Read(index, session, cancellationToken);
        var count = Math.Min(index.Index!.KeyColumns, own.Count);
        return new RawKeys([.. own.Take(count).Select(column => column.Column)], [.. Enumerable.Range(0, count)],
            [.. own.Take(count).Select(column => (column.Type is 20 or 21 or 23 ? KeyForm.Number : KeyForm.Bytes, column.Type))]);
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
            if (KeyForms.Canonical(slice.Data(bytes), Kinds[i].Form, Kinds[i].Type) is not { } part)
                return null;
            parts[i] = part;
        }
        return string.Join('.', parts);
    }

    private static async ValueTask<List<Attribute>> Read(Relation relation, IReadSession session, CancellationToken cancellationToken) =>
        [.. await session.Rows(Sql, row => new Attribute(
            new HeapColumn(row.GetInt16(0), HeapColumn.AlignmentOf(row.GetString(1)[0]), row.GetFieldValue<uint>(2)), row.GetInt16(3), row.GetString(4),
            KeyForms.Of(row.GetFieldValue<uint>(5), row.GetBoolean(6), row.GetBoolean(7)), row.GetFieldValue<uint>(5)), cancellationToken, relation.Oid)];
}
