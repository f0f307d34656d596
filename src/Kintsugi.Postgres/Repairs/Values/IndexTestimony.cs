using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Pages.Indexes;
using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Repairs.Pages;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Values;

/// <summary>One key of a btree, as SQL over the table's columns.</summary>
/// <param name="Collation">Quoted; null where the type has none.</param>
/// <param name="IsUsual">Whether the type's default operator class orders it, so that the usual operators mean the index's order.</param>
internal sealed record IndexKey(string Sql, uint Type, bool Descending, string? Collation, bool IsUsual);

/// <summary>An entry that leads to a row: its key in hex as <see cref="StoredForm.Hex(uint, ReadOnlySpan{byte})"/>, and what stands beside it on its page.</summary>
internal sealed record HeardEntry(string Key, byte[] First, byte[]? Before, byte[]? After);

/// <summary>What a btree says of its table's rows: their keys, as they were when the entries were made.</summary>
internal sealed record IndexTestimony(
    Relation Index, IReadOnlyList<IndexKey> Keys, string? Predicate, IReadOnlySet<string> Reads, bool CallsOthers)
{
    private static readonly string Sql = $"""
        SELECT i.indexrelid, pg_catalog.pg_get_indexdef(i.indexrelid, k.n, false), a.atttypid, i.indoption[k.n - 1]::pg_catalog.int4,
               CASE WHEN l.oid IS NOT NULL THEN pg_catalog.quote_ident(s.nspname) || '.' || pg_catalog.quote_ident(l.collname) END, o.opcdefault,
               pg_catalog.pg_get_expr(i.indpred, i.indrelid), {OwnerRights.CallsOthers("pg_class", "i.indexrelid")},
               ARRAY(SELECT b.attname::pg_catalog.text FROM pg_catalog.pg_attribute b WHERE b.attrelid = i.indrelid AND b.attnum > 0
                     AND (b.attnum = ANY (i.indkey::pg_catalog.int2[]) OR EXISTS (SELECT FROM pg_catalog.pg_depend d
                          WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = i.indexrelid
                            AND d.refclassid = d.classid AND d.refobjid = i.indrelid AND d.refobjsubid = b.attnum)))
        FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
        JOIN pg_catalog.pg_am m ON m.oid = c.relam AND m.amname = 'btree'
        CROSS JOIN pg_catalog.generate_series(1, i.indnkeyatts::pg_catalog.int4) k(n)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indexrelid AND a.attnum = k.n
        JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[k.n - 1]
        LEFT JOIN pg_catalog.pg_collation l ON l.oid = i.indcollation[k.n - 1]
        LEFT JOIN pg_catalog.pg_namespace s ON s.oid = l.collnamespace
        WHERE i.indrelid = $1 AND i.indisvalid AND i.indisready AND i.indislive ORDER BY i.indexrelid, k.n
        """;

    /// <summary>All btrees of a table whose keys can be read and told.</summary>
    public static async ValueTask<IReadOnlyList<IndexTestimony>> Of(Relation table, Patient patient, CancellationToken cancellationToken)
    {
        var rows = await patient.Session.Rows(Sql, row => (Oid: row.GetFieldValue<uint>(0),
            Key: new IndexKey(row.GetString(1), row.GetFieldValue<uint>(2), (row.GetInt32(3) & 1) != 0, row.IsDBNull(4) ? null : row.GetString(4), row.GetBoolean(5)),
            Predicate: row.IsDBNull(6) ? null : row.GetString(6), Others: row.GetBoolean(7), Reads: row.GetFieldValue<string[]>(8)), cancellationToken, table.Oid);
        return [.. rows.GroupBy(row => row.Oid)
            .Where(group => group.All(row => StoredForm.Knows(row.Key.Type)) && patient.Relations.Find(group.Key) is { } index && index.Pages <= BtreeEntries.MostBlocks)
            .Select(group => new IndexTestimony(patient.Relations.Find(group.Key)!, [.. group.Select(row => row.Key)], group.First().Predicate,
                group.First().Reads.ToHashSet(), group.First().Others))];
    }

    /// <summary>SQL: the key of a row as the entry for it would have it; NULL where a part of it is.</summary>
    public string KeyOfRow => string.Join(" || '.' || ", Keys.Select(key => StoredForm.Hex(key.Type, $"({key.Sql})")));

    /// <summary>SQL: whether the index is meant to have the row.</summary>
    public string Meant => Predicate is null ? "true" : $"({Predicate})";

    /// <summary>The entries that lead to these places (of HOT chains to their roots).</summary>
    /// <returns>Null where a page of the index cannot be read and believed.</returns>
    public async ValueTask<Dictionary<Tid, List<HeardEntry>>?> Hear(
        IReadOnlySet<Tid> places, IPageView view, Patient patient, CancellationToken cancellationToken)
    {
        var heard = new Dictionary<Tid, List<HeardEntry>>();
        var columns = await Columns(patient, cancellationToken);
        var whole = await BtreeEntries.ReadPages(Index, view, patient, (page, content) =>
        {
            for (var i = 0; i < content.Rows.Count; i++)
            {
                var row = content.Rows[i];
                if (!places.Contains(row.Tid) || Key(page, row.Item, columns) is not ({ } key, { } first))
                    continue;
                if (!heard.TryGetValue(row.Tid, out var list))
                    heard[row.Tid] = list = [];
                // Beside all entries of the same line pointer: a posting list is one key.
                var before = content.Rows.FindLastIndex(i, other => other.Item != row.Item);
                var after = content.Rows.FindIndex(i, other => other.Item != row.Item);
                list.Add(new HeardEntry(key, first, before < 0 ? null : Key(page, content.Rows[before].Item, columns).First,
                    after < 0 ? null : Key(page, content.Rows[after].Item, columns).First));
            }
        }, cancellationToken);
        return whole ? heard : null;
    }

    /// <summary>The key of each entry that leads to a wanted place, in the order of the index's pages.</summary>
    /// <returns>False where a page of the index cannot be read and believed.</returns>
    public async ValueTask<bool> Visit(Func<Tid, bool> wants, Action<Tid, string> visit, IPageView view, Patient patient, CancellationToken cancellationToken)
    {
        var columns = await Columns(patient, cancellationToken);
        return await BtreeEntries.ReadPages(Index, view, patient, (page, content) =>
        {
            foreach (var row in content.Rows)
                if (wants(row.Tid) && Key(page, row.Item, columns).Key is { } key)
                    visit(row.Tid, key);
        }, cancellationToken);
    }

    private async ValueTask<HeapColumn[]> Columns(Patient patient, CancellationToken cancellationToken) =>
        (await RawKeys.OfKey(Index, patient.Session, cancellationToken)).Columns;

    private static (string? Key, byte[]? First) Key(ReadOnlySpan<byte> page, int item, HeapColumn[] columns)
    {
        var entry = BtreeEntries.Entry(page, item);
        var slices = new AttributeSlice[columns.Length];
        if (!IndexKeys.TryRead(entry, columns, slices))
            return default;
        var parts = new string[columns.Length];
        for (var i = 0; i < columns.Length; i++)
        {
            if (slices[i].Form is not (AttributeForm.Fixed or AttributeForm.Plain or AttributeForm.Packed))
                return default;
            parts[i] = StoredForm.Hex(columns[i].TypeId, slices[i].Data(entry));
        }
        return (string.Join('.', parts), slices[0].Data(entry).ToArray());
    }

    /// <summary>What the entry says of its row.</summary>
    public RowTestimony Says(HeardEntry entry) =>
        new($"index {Index.Name}", $"{Meant} AND {KeyOfRow} = {Quote.Literal(entry.Key)}", Reads, CallsOthers) { HoldsValue = true };

    /// <summary>What its place among its neighbours says, where the index's order is one that SQL knows; null else.</summary>
    public RowTestimony? Place(HeardEntry entry)
    {
        var key = Keys[0];
        if (!key.IsUsual)
            return null;
        var bounds = new[] { (Beside: entry.Before, Operator: key.Descending ? "<=" : ">="), (Beside: entry.After, Operator: key.Descending ? ">=" : "<=") }
            .Where(bound => bound.Beside is not null && StoredForm.ToText(key.Type, bound.Beside) is not null)
            .Select(bound => $"({key.Sql}) OPERATOR(pg_catalog.{bound.Operator}) "
                + StoredForm.FromText(key.Type, $"{Quote.Literal(StoredForm.ToText(key.Type, bound.Beside!)!)}::pg_catalog.text")
                + (key.Collation is null ? "" : $" COLLATE {key.Collation}")).ToList();
        return bounds.Count == 0 ? null : new RowTestimony($"its place in index {Index.Name}", string.Join(" AND ", bounds), Reads, CallsOthers);
    }
}
