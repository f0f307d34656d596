using System.Globalization;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>Writes before-images and audit lines of a batch, as the owner of schema kintsugi, inside the batch's transaction.</summary>
internal sealed class RowJournal(StepContext context, string schemaOwner)
{
    private readonly WriteSession session = context.Session;
    private readonly Dictionary<LockedRow, long> entries = new(ReferenceEqualityComparer.Instance);
    private string Token => context.Remembered["token"];

    /// <summary>Rows of one table, in the order in which they are to be numbered.</summary>
    public async ValueTask Keep(
        TableShape shape, IReadOnlyList<LockedRow> rows, IReadOnlyList<Assignment> assignments, CancellationToken cancellationToken)
    {
        var table = new ValueTable();
        string[] set = [.. assignments.Select(assignment => assignment.Column)];
        var sql = $"""
            INSERT INTO kintsugi.quarantine (case_id, relation, relation_name, kind, rule, key, columns, types, "values", raw, display,
                                             row_xmin, row_ctid, changed, token, relation_oid, numbers)
            SELECT {table.Single(context.Plan.Case)}, pg_catalog.to_regclass({table.Single(shape.Table.Quoted)}), {table.Single(shape.Table.Quoted)},
                   {table.Texts(rows.Select(row => Kind(row.Row.Fate)))}, {table.Single(context.Step["rule"])},
                   {table.Texts(rows.Select(row => row.Image.Key(shape)))}::pg_catalog.jsonb, {table.Single(Names(shape))},
                   {table.Single(shape.Columns.Select(column => column.InputType).ToArray())},
                   {table.Texts(rows.Select(row => ValueTable.Literal(row.Image.Values)))}::pg_catalog.text[],
                   {table.Texts(rows.Select(row => RawLiteral(row.Image)))}::pg_catalog.bytea[],
                   {table.Texts(rows.Select(row => row.Image.Display(shape)))}::pg_catalog.jsonb,
                   {table.Texts(rows.Select(row => row.Image.Version))}, {table.Texts(rows.Select(row => row.Image.Place))},
                   CASE WHEN {table.Flags([.. rows.Select(row => row.Row.Fate == RowFate.Set)])} THEN {table.Single(set)} ELSE ARRAY[]::pg_catalog.text[] END,
                   {table.Single(Token)}, {table.Single(shape.Oid)}, {table.Single(Numbers(shape))}::pg_catalog.int4[]::pg_catalog.int2[]
            FROM
            """;
        var ids = await AsSchemaOwner(() => session.Rows($"{sql} {table.From} ORDER BY {ValueTable.Number} RETURNING id, row_ctid",
            row => (Id: row.GetInt64(0), Place: row.GetString(1)), cancellationToken, table.Parameters), cancellationToken);
        var byPlace = rows.ToDictionary(row => row.Image.Place);
        foreach (var (id, place) in ids)
            entries[byPlace[place]] = id;
    }

    private static string Kind(RowFate fate) => fate switch
    {
        RowFate.Remove => "removed",
        RowFate.Move => "moved",
        _ => "changed",
    };

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

    /// <summary>What changed rows of one table hold now, also in columns that a trigger changed along.</summary>
    public async ValueTask Changed(TableShape shape, IReadOnlyList<(LockedRow Row, RowImage Now)> rows, CancellationToken cancellationToken)
    {
        if (rows.Count == 0)
            return;
        var table = new ValueTable();
        var id = table.Longs([.. rows.Select(row => entries[row.Row])]);
        var sql = $"""
            UPDATE kintsugi.quarantine SET changed = {table.Texts(rows.Select(row => ValueTable.Literal(Altered(shape, row.Row.Image, row.Now))))}::pg_catalog.text[],
                   after = {table.Texts(rows.Select(row => ValueTable.Literal(row.Now.Values)))}::pg_catalog.text[],
                   after_ctid = {table.Texts(rows.Select(row => row.Now.Place))}, after_xmin = {table.Texts(rows.Select(row => row.Now.Version))}
            """;
        await AsSchemaOwner(() => session.Execute($"{sql} FROM {table.From} WHERE id OPERATOR(pg_catalog.=) {id}", cancellationToken, table.Parameters),
            cancellationToken);
    }

    private static IEnumerable<string> Altered(TableShape shape, RowImage before, RowImage now) =>
        shape.Columns.Where((column, i) => !column.Generated && (before.Values[i] != now.Values[i] || !Same(before.Raw[i], now.Raw[i])))
            .Select(column => column.Name);

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

    private static string RawLiteral(RowImage image) =>
        ValueTable.Literal(image.Raw.Select(bytes => bytes is null ? null : $"\\x{Convert.ToHexStringLower(bytes)}"));

    private async ValueTask<T> AsSchemaOwner<T>(Func<ValueTask<T>> work, CancellationToken cancellationToken)
    {
        await session.Execute($"SET LOCAL ROLE {Quote.Identifier(schemaOwner)}", cancellationToken);
        var result = await work();
        await session.Execute("SET LOCAL ROLE NONE", cancellationToken);
        return result;
    }
}
