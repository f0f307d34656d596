using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>The change itself: removed, set or moved, each row by its place, and counted.</summary>
internal sealed class RowChange(StepContext context, RowBatch batch, RowJournal journal, IReadOnlyDictionary<int, TableShape> shapes)
{
    private readonly WriteSession session = context.Session;

    /// <returns>Where the changed rows of the accused table lie now.</returns>
    public async ValueTask<string[]> Apply(
        IReadOnlyList<LockedRow> rows, Func<string, Func<ValueTask<int>>, CancellationToken, ValueTask> asOwner, CancellationToken cancellationToken)
    {
        var places = new List<string>();
        foreach (var row in rows.Where(row => row.Row.Fate is RowFate.Set or RowFate.Move))
        {
            var table = batch.Tables[row.Row.Table];
            var place = "";
            await asOwner(table.Owner, async () =>
            {
                place = await Alter(table, row, cancellationToken);
                return 1;
            }, cancellationToken);
            if (row.Row.Fate == RowFate.Move)
                continue;
            await Record(row, place, cancellationToken);
            if (row.Row.Table == 0 && row.Row.Accused)
                places.Add(place);
        }
        // After the changes, which may have led others away from these rows. The tables of the batch are listed parents first.
        foreach (var table in rows.Where(row => row.Row.Fate == RowFate.Remove).GroupBy(row => row.Row.Table)
            .OrderByDescending(group => group.Key))
            await asOwner(batch.Tables[table.Key].Owner, () => Remove(batch.Tables[table.Key], [.. table], cancellationToken), cancellationToken);
        foreach (var row in rows.Where(row => row.Row.Fate == RowFate.Witness))
            await Witness(row, cancellationToken);
        return [.. places];
    }

    /// <summary>
    /// What the server itself made of a row (ON DELETE SET NULL), so that undo puts back that and nothing else. Where it altered the key there is
    /// no finding the row: undo then looks for the old key and says so.
    /// </summary>
    private async ValueTask Witness(LockedRow row, CancellationToken cancellationToken)
    {
        var shape = shapes[row.Row.Table];
        var parameters = new List<object?>();
        var conditions = new List<string>();
        foreach (var (column, value) in shape.Columns.Zip(row.Image.Values).Where(pair => pair.First.InKey))
        {
            parameters.Add(new Untyped(value));
            conditions.Add($"{column.Send(column.Reference)} OPERATOR(pg_catalog.=) "
                + $"{column.Send($"${parameters.Count.ToString(System.Globalization.CultureInfo.InvariantCulture)}::{column.InputType}")}");
        }
        if (conditions.Count > 0 && await session.Rows($"{RowImage.Select(shape)} WHERE {string.Join(" AND ", conditions)}", RowImage.Read,
            cancellationToken, [.. parameters]) is [var now])
            await journal.Changed(shape, row, now, cancellationToken);
    }

    private async ValueTask<int> Remove(TableName table, IReadOnlyList<LockedRow> rows, CancellationToken cancellationToken)
    {
        var count = await session.Execute(
            $"DELETE FROM {table.From} WHERE {table.Row}.ctid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[]::pg_catalog.tid[])",
            cancellationToken, (object)rows.Select(row => row.Row.Place).ToArray());
        return count == rows.Count
            ? count
            : throw new HealingException($"{count} of {rows.Count} rows left {table.Quoted}: a trigger or rule of the application kept the others; "
                + "rolled back", mayPass: false);
    }

    private async ValueTask<string> Alter(TableName table, LockedRow row, CancellationToken cancellationToken)
    {
        var set = string.Join(", ", (row.Row.Own.Count > 0 ? row.Row.Own : batch.Assignments).Select(a => $"{Quote.Identifier(a.Column)} = {a.Expression}"));
        var moving = row.Row.Fate == RowFate.Move;
        var target = moving ? $"{batch.Root} AS {table.Row}" : table.From;
        var alone = moving
            ? $" AND {table.Row}.tableoid OPERATOR(pg_catalog.=) {Quote.Literal(table.Quoted)}::pg_catalog.regclass::pg_catalog.oid" : "";
        var places = await session.Rows(
            $"UPDATE {target} SET {set} WHERE {table.Row}.ctid OPERATOR(pg_catalog.=) $1::pg_catalog.tid{alone} "
            + $"RETURNING {table.Row}.ctid::pg_catalog.text",
            found => found.GetString(0), cancellationToken, row.Row.Place);
        return places.Count == 1
            ? places[0]
            : throw new HealingException($"a row of {table.Quoted} could not be changed: a trigger or rule of the application kept it; rolled back",
                mayPass: false);
    }

    /// <summary>What the row holds now, which undo compares with before it puts the old values back.</summary>
    private async ValueTask Record(LockedRow row, string place, CancellationToken cancellationToken)
    {
        var shape = shapes[row.Row.Table];
        var now = await session.Rows($"{RowImage.Select(shape)} WHERE {shape.Table.Row}.ctid = $1::pg_catalog.tid", RowImage.Read,
            cancellationToken, place);
        if (now.Count != 1)
            throw new HealingException($"a changed row of {shape.Table.Quoted} is not where it was put: a trigger of the application changed it "
                + "again; rolled back", mayPass: false);
        await journal.Changed(shape, row, now[0], cancellationToken);
    }
}
