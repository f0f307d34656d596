using System.Globalization;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>Writes before-images and audit lines of a batch, as the owner of schema kintsugi, inside the batch's transaction.</summary>
internal sealed class RowJournal(StepContext context, string schemaOwner)
{
    private readonly WriteSession session = context.Session;
    private readonly Dictionary<LockedRow, long> entries = [];
    private string Token => context.Remembered["token"];

    public async ValueTask Keep(
        TableShape shape, LockedRow row, IReadOnlyList<Assignment> assignments, CancellationToken cancellationToken)
    {
        var image = row.Image;
        var kind = row.Row.Fate switch
        {
            RowFate.Remove => "removed",
            RowFate.Move => "moved",
            _ => "changed",
        };
        entries[row] = await AsSchemaOwner(() => session.Value<long>("""
            INSERT INTO kintsugi.quarantine (case_id, relation, relation_name, kind, rule, key, columns, types, "values", raw, display,
                                             row_xmin, row_ctid, changed, token, relation_oid, numbers)
            VALUES ($1, pg_catalog.to_regclass($2), $2, $3, $4, $5::pg_catalog.jsonb, $6, $7, $8, $9, $10::pg_catalog.jsonb, $11, $12, $13, $14, $15, $16::pg_catalog.int4[]::pg_catalog.int2[])
            RETURNING id
            """, cancellationToken, context.Plan.Case, shape.Table.Quoted, kind, context.Step["rule"], image.Key(shape),
            Names(shape), shape.Columns.Select(column => column.InputType).ToArray(), image.Values.ToArray(), image.Raw.ToArray(),
            image.Display(shape), image.Version, image.Place,
            row.Row.Fate == RowFate.Set ? assignments.Select(assignment => assignment.Column).ToArray() : Array.Empty<string>(), Token, shape.Oid, Numbers(shape)),
            cancellationToken);
    }

    /// <summary>A row that was brought back: undo takes it out again.</summary>
    /// <param name="source">Its entry in quarantine, which counts as restored from now on; null where it came from elsewhere.</param>
    public ValueTask<long> Added(TableShape shape, RowImage image, long? source, CancellationToken cancellationToken) =>
        AsSchemaOwner(() => session.Value<long>("""
            WITH source AS (UPDATE kintsugi.quarantine SET restored_at = pg_catalog.clock_timestamp() WHERE id = $13 RETURNING 1)
            INSERT INTO kintsugi.quarantine (case_id, relation, relation_name, kind, rule, key, columns, types, "values", raw, display,
                                             row_xmin, row_ctid, after, token, relation_oid, numbers, horizon)
            VALUES ($1, pg_catalog.to_regclass($2), $2, 'added', $3, $4::pg_catalog.jsonb, $5, $6, $7, $8, $9::pg_catalog.jsonb, $10, $11,
                    CASE WHEN $13 IS NOT NULL THEN ARRAY[$13::pg_catalog.text] END, $12, $14, $15::pg_catalog.int4[]::pg_catalog.int2[],
                    pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::pg_catalog.text)
            RETURNING id
            """, cancellationToken, context.Plan.Case, shape.Table.Quoted, context.Step["rule"], image.Key(shape), Names(shape),
            shape.Columns.Select(column => column.InputType).ToArray(), image.Values.ToArray(), image.Raw.ToArray(), image.Display(shape),
            image.Version, image.Place, Token, source, shape.Oid, Numbers(shape)), cancellationToken);

    /// <summary>What a changed row holds now, also in columns that a trigger changed along.</summary>
    public async ValueTask Changed(TableShape shape, LockedRow row, RowImage now, CancellationToken cancellationToken)
    {
        var changed = shape.Columns.Where((column, i) => !column.Generated && (row.Image.Values[i] != now.Values[i]
            || !Same(row.Image.Raw[i], now.Raw[i]))).Select(column => column.Name).ToArray();
        await AsSchemaOwner(() => session.Value<long>("""
            UPDATE kintsugi.quarantine SET changed = $2, after = $3, after_ctid = $4, after_xmin = $5 WHERE id = $1 RETURNING id
            """, cancellationToken, entries[row], changed, now.Values.ToArray(), now.Place, now.Version), cancellationToken);
    }

    public async ValueTask Audit(string type, string message, long removed, long changed, CancellationToken cancellationToken)
    {
        var metadata = Facts.Data(("token", Token), ("plan", context.Plan.Hash), ("repair", context.Plan.Repair), ("rule", context.Step["rule"]),
            ("rows_quarantined", removed.ToString(CultureInfo.InvariantCulture)), ("rows_changed", changed.ToString(CultureInfo.InvariantCulture)));
        await AsSchemaOwner(() => session.Value<long>("""
            INSERT INTO kintsugi.audit_log (event_type, severity, message, metadata, case_id)
            VALUES ($1, 'info', $2, $3::pg_catalog.jsonb, $4) RETURNING id
            """, cancellationToken, type, message, metadata, context.Plan.Case), cancellationToken);
    }

    private static int[] Numbers(TableShape shape) => [.. shape.Columns.Select(column => (int)column.Number)];
    private static string[] Names(TableShape shape) => [.. shape.Columns.Select(column => column.Name)];

    private static bool Same(byte[]? one, byte[]? other) =>
        one is null || other is null ? one is null == other is null : one.AsSpan().SequenceEqual(other);

    private async ValueTask<long> AsSchemaOwner(Func<ValueTask<long>> work, CancellationToken cancellationToken)
    {
        await session.Execute($"SET LOCAL ROLE {Quote.Identifier(schemaOwner)}", cancellationToken);
        var id = await work();
        await session.Execute("SET LOCAL ROLE NONE", cancellationToken);
        return id;
    }
}
