using System.Globalization;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows.Parents;

/// <summary>
/// Undoes the insertion of a parent: the row goes, and what referred to it without a parent before does so again. Triggers and cascades are off for
/// that one statement, or ON DELETE CASCADE would take the children along.
/// </summary>
internal sealed class AddedRow(WriteSession session, QuarantineEntry entry)
{
    /// <summary>Each constraint that leads to the table: the child, and how its rows are compared with the parent's.</summary>
    private const string Referring = """
        SELECT pg_catalog.format('%I.%I', n.nspname, r.relname), k.comparison,
               coalesce((pg_catalog.to_jsonb(c) OPERATOR(pg_catalog.->>) 'conperiod')::pg_catalog.bool, false)
        FROM pg_catalog.pg_constraint c
        JOIN pg_catalog.pg_class r ON r.oid = c.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
        CROSS JOIN LATERAL (
          SELECT pg_catalog.string_agg(pg_catalog.format('p.%I%s OPERATOR(%I.%s) c.%I', pa.attname,
                   ' COLLATE ' || pg_catalog.quote_ident(ls.nspname) || '.' || pg_catalog.quote_ident(l.collname), os.nspname, o.oprname, ca.attname), ' AND ')
                   AS comparison
          FROM ROWS FROM (pg_catalog.unnest(c.conkey), pg_catalog.unnest(c.confkey), pg_catalog.unnest(c.conpfeqop)) x(child, parent, operator)
          JOIN pg_catalog.pg_attribute ca ON ca.attrelid = c.conrelid AND ca.attnum = x.child
          JOIN pg_catalog.pg_attribute pa ON pa.attrelid = c.confrelid AND pa.attnum = x.parent
          LEFT JOIN pg_catalog.pg_collation l ON l.oid = pa.attcollation LEFT JOIN pg_catalog.pg_namespace ls ON ls.oid = l.collnamespace
          JOIN pg_catalog.pg_operator o ON o.oid = x.operator JOIN pg_catalog.pg_namespace os ON os.oid = o.oprnamespace) k
        WHERE c.contype = 'f' AND r.relkind = 'r' AND c.confrelid IN (
          SELECT pg_catalog.to_regclass($1)::pg_catalog.oid
          UNION SELECT a.relid::pg_catalog.oid FROM pg_catalog.pg_partition_ancestors(pg_catalog.to_regclass($1)) a)
        """;

    /// <summary>
    /// A child that was written by a transaction which had not ended when the parent came back may rest on it, however old that transaction's id is;
    /// the others were orphans before. Ids count modulo 2^32: one that seems younger than it is only makes undo refuse.
    /// </summary>
    private const string WrittenLater = """
        c.xmin::pg_catalog.text::pg_catalog.int8 > 2 AND n.next - (n.next - c.xmin::pg_catalog.text::pg_catalog.int8) % 4294967296 >= $2::pg_catalog.text::pg_catalog.int8
        """;

    public async ValueTask TakeOut(TableShape shape, CancellationToken cancellationToken)
    {
        var place = await Find(shape, cancellationToken);
        foreach (var (child, comparison, period) in await session.Rows(Referring, row => (row.GetString(0), row.GetString(1), row.GetBoolean(2)),
            cancellationToken, shape.Table.Quoted))
            if (period || await session.Value<long>($"SELECT pg_catalog.count(*) FROM ONLY {child} c, {shape.Table.From} p, "
                + "(SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::pg_catalog.text::pg_catalog.int8 AS next) n "
                + $"WHERE p.ctid OPERATOR(pg_catalog.=) $1::pg_catalog.tid AND {comparison} AND {WrittenLater}", cancellationToken, place,
                entry.Horizon ?? "0") > 0)
                throw new HealingException($"row {entry.Key} of {entry.Relation} was brought back and is referred to by rows of {child} that came later: "
                    + "to take it out would make orphans of them", mayPass: false);
        await session.Execute("SET LOCAL session_replication_role = replica", cancellationToken);
        await session.Execute($"SET LOCAL ROLE {Quote.Identifier(shape.Table.Owner)}", cancellationToken);
        var gone = await session.Execute($"DELETE FROM {shape.Table.From} WHERE {shape.Table.Row}.ctid OPERATOR(pg_catalog.=) $1::pg_catalog.tid",
            cancellationToken, place);
        await session.Execute("SET LOCAL ROLE NONE", cancellationToken);
        await session.Execute("SET LOCAL session_replication_role = origin", cancellationToken);
        if (gone != 1)
            throw new HealingException($"row {entry.Key} of {entry.Relation} could not be taken out again", mayPass: false);
        if (entry.After is [{ } kept])
            await session.Execute("UPDATE kintsugi.quarantine SET restored_at = NULL WHERE id = $1", cancellationToken,
                long.Parse(kept, CultureInfo.InvariantCulture));
    }

    /// <summary>Only a row that is in every column as it was put back.</summary>
    private async ValueTask<string> Find(TableShape shape, CancellationToken cancellationToken)
    {
        var parameters = new List<object?>();
        var conditions = new List<string>();
        var kept = new KeptColumns(entry, shape);
        if (shape.Key.Any(column => kept.IndexOf(column) < 0))
            throw new HealingException($"row {entry.Key} of {entry.Relation} cannot be found again: the key of the table is another one by now", mayPass: false);
        foreach (var column in shape.Columns.Where(column => !column.Generated))
        {
            var at = kept.IndexOf(column);
            if (at < 0)
                continue;
            parameters.Add(new Untyped(entry.Values[at]));
            conditions.Add($"({column.Send(column.Reference)}) IS NOT DISTINCT FROM "
                + $"({column.Send($"${parameters.Count.ToString(CultureInfo.InvariantCulture)}::{column.InputType}")})");
        }
        var places = await session.Rows($"SELECT {shape.Table.Row}.ctid::pg_catalog.text FROM {shape.Table.From} WHERE {string.Join(" AND ", conditions)} FOR UPDATE",
            row => row.GetString(0), cancellationToken, [.. parameters]);
        return places.Count == 1 ? places[0] : throw new HealingException(
            $"row {entry.Key} of {entry.Relation} is not as the repair left it: somebody changed or removed it since", mayPass: false);
    }
}
