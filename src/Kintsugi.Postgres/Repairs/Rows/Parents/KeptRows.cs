using System.Globalization;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows.Parents;

/// <summary>Rows of a table that an earlier repair moved into quarantine.</summary>
internal static class KeptRows
{
    private const int Most = 5_000;

    private const string Sql = """
        SELECT q.id, q.columns, q."values" FROM kintsugi.quarantine q
        WHERE q.kind = 'removed' AND q.restored_at IS NULL AND q.relation::pg_catalog.oid = $1
          AND NOT EXISTS (SELECT FROM pg_catalog.unnest(q.raw) r WHERE r IS NOT NULL)
          -- Of a row whose columns are others by now a person must think.
          AND NOT EXISTS (SELECT FROM pg_catalog.unnest(q.columns) k(name) WHERE NOT EXISTS (
            SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1 AND a.attname::pg_catalog.text = k.name AND NOT a.attisdropped))
        ORDER BY q.id DESC LIMIT $2
        """;

    /// <summary>The newest first. Empty where there is no quarantine, or this role may not read it.</summary>
    public static async ValueTask<IReadOnlyList<ParentRow>> Of(ForeignKey key, IReadSession session, CancellationToken cancellationToken)
    {
        if (!(await session.Rows("SELECT pg_catalog.to_regclass('kintsugi.quarantine') IS NOT NULL "
            + "AND pg_catalog.has_table_privilege(pg_catalog.to_regclass('kintsugi.quarantine')::pg_catalog.oid, 'SELECT')",
            row => !row.IsDBNull(0) && row.GetBoolean(0), cancellationToken))[0])
            return [];
        var rows = new List<ParentRow>();
        foreach (var heap in key.ParentHeaps)
            rows.AddRange(await session.Rows(Sql, row => new ParentRow(heap, row.GetFieldValue<string[]>(1), row.GetFieldValue<string?[]>(2),
                $"quarantine entry {row.GetInt64(0).ToString(CultureInfo.InvariantCulture)}") { Kept = row.GetInt64(0) }, cancellationToken, heap.Oid, Most));
        return rows;
    }
}
