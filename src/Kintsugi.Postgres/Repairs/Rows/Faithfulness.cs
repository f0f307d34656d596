using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>
/// Whether the kept texts, read as the columns' types, give the very bytes of the rows that are about to be altered. Columns that are no text are
/// kept as their bytes and need no comparing.
/// </summary>
internal static class Faithfulness
{
    /// <exception cref="RowRefusal">A row cannot be kept exactly: it is not to be touched.</exception>
    public static async ValueTask Require(
        TableShape shape, IReadOnlyList<RowImage> images, WriteSession session, CancellationToken cancellationToken)
    {
        var table = new ValueTable();
        var place = table.Texts(images.Select(image => image.Place));
        var compared = shape.Columns.Select((column, i) =>
        {
            var value = table.Values(column, images.Select(image => image.Values[i]));
            var kept = images.Any(image => image.Raw[i] is not null) ? table.Flags([.. images.Select(image => image.Raw[i] is null)]) : "true";
            return $"CASE WHEN {kept} AND ({column.Send(column.Reference)}) IS DISTINCT FROM ({column.Send(value)}) THEN {Quote.Literal(column.Name)} END";
        });
        var differing = await session.Rows($"""
            SELECT d.n, d.columns FROM (
                SELECT {ValueTable.Number} AS n, CASE WHEN {shape.Table.Row}.ctid IS NULL THEN 'the row itself'
                       ELSE pg_catalog.concat_ws(', ', {string.Join(", ", compared)}) END AS columns
                FROM {table.From} LEFT JOIN {shape.Table.From} ON {shape.Table.Row}.ctid OPERATOR(pg_catalog.=) {place}::pg_catalog.tid) d
            WHERE d.columns OPERATOR(pg_catalog.<>) '' ORDER BY d.n
            """, row => (Number: row.GetInt64(0), Columns: row.GetString(1)), cancellationToken, table.Parameters);
        if (differing.Count > 0)
            throw new RowRefusal($"row {images[(int)differing[0].Number - 1].Key(shape)} of {shape.Table.Quoted} cannot be kept exactly (column "
                + $"{differing[0].Columns}): it is not touched. Look at it by hand");
    }
}
