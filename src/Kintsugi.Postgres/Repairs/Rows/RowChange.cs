using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>The change itself: removed, set or moved, rows that are treated alike in one statement, by their places, and counted.</summary>
internal sealed class RowChange(WriteSession session, RowBatch batch, RowJournal journal, IReadOnlyDictionary<int, TableShape> shapes)
{
    /// <returns>Where the changed rows of the accused table lie now.</returns>
    public async ValueTask<string[]> Apply(
        IReadOnlyList<LockedRow> rows, Func<string, Func<ValueTask<int>>, CancellationToken, ValueTask> asOwner, CancellationToken cancellationToken)
    {
        var places = new List<string>();
        foreach (var alike in rows.Where(row => row.Row.Fate is RowFate.Set or RowFate.Move)
            .GroupBy(row => (row.Row.Table, row.Row.Fate, Set: Set(row.Row))).ToList())
        {
            List<LockedRow> changing = [.. alike];
            IReadOnlyDictionary<string, string> now = new Dictionary<string, string>();
            await asOwner(batch.Tables[alike.Key.Table].Owner, async () => (now = await Alter(alike.Key.Fate, alike.Key.Set, changing, cancellationToken)).Count,
                cancellationToken);
            if (alike.Key.Fate == RowFate.Move)
                continue;
            await Record(changing, now, cancellationToken);
            if (alike.Key.Table == 0)
                places.AddRange(changing.Where(row => row.Row.Accused).Select(row => now[row.Row.Place]));
        }
        // After the changes, which may have led others away from these rows. The tables of the batch are listed parents first.
        foreach (var table in rows.Where(row => row.Row.Fate == RowFate.Remove).GroupBy(row => row.Row.Table)
            .OrderByDescending(group => group.Key))
            await asOwner(batch.Tables[table.Key].Owner, () => Remove(batch.Tables[table.Key], [.. table], cancellationToken), cancellationToken);
        foreach (var table in rows.Where(row => row.Row.Fate == RowFate.Witness).GroupBy(row => row.Row.Table))
            await Witness([.. table], cancellationToken);
        return [.. places];
    }

    /// <summary>
    /// What the server itself made of rows (ON DELETE SET NULL), so that undo puts back that and nothing else. Where it altered the key there is
    /// no finding the row: undo then looks for the old key and says so.
    /// </summary>
    private async ValueTask Witness(IReadOnlyList<LockedRow> rows, CancellationToken cancellationToken)
    {
        var shape = shapes[rows[0].Row.Table];
        var keys = Enumerable.Range(0, shape.Columns.Count).Where(i => shape.Columns[i].InKey).ToList();
        if (keys.Count == 0)
            return;
        var table = new ValueTable();
        var kept = string.Join(", ", keys.Select(i => shape.Columns[i].Send(table.Values(shape.Columns[i], rows.Select(row => row.Image.Values[i])))));
        var own = string.Join(", ", keys.Select(i => shape.Columns[i].Send(shape.Columns[i].Reference)));
        var found = await session.Rows($"{RowImage.Select(shape)} WHERE ({own}) IN (SELECT {kept} FROM {table.From})", RowImage.Read,
            cancellationToken, table.Parameters);
        var byKey = found.ToLookup(image => Key(image));
        await journal.Changed(shape, [.. from row in rows
                                         let now = byKey[Key(row.Image)].ToList()
                                         where now.Count == 1
                                         select (row, now[0])], cancellationToken);

        // What is no text was sent as nothing, and is found by nobody.
        string Key(RowImage image) => ValueTable.Literal(keys.Select(i => image.Values[i]));
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

    private string Set(BatchRow row) =>
        string.Join(", ", (row.Own.Count > 0 ? row.Own : batch.Assignments).Select(a => $"{Quote.Identifier(a.Column)} = {a.Expression}"));

    /// <returns>Where each row lies now, by where it lay.</returns>
    private async ValueTask<IReadOnlyDictionary<string, string>> Alter(
        RowFate fate, string set, List<LockedRow> rows, CancellationToken cancellationToken)
    {
        var table = batch.Tables[rows[0].Row.Table];
        var moving = fate == RowFate.Move;
        var target = moving ? $"{batch.Root} AS {table.Row}" : table.From;
        var alone = moving
            ? $" AND {table.Row}.tableoid OPERATOR(pg_catalog.=) {Quote.Literal(table.Quoted)}::pg_catalog.regclass::pg_catalog.oid" : "";
        var values = new ValueTable();
        var place = values.Texts(rows.Select(row => row.Row.Place));
        var moved = await session.Rows(
            $"UPDATE {target} SET {set} FROM {values.From} WHERE {table.Row}.ctid OPERATOR(pg_catalog.=) {place}::pg_catalog.tid{alone} "
            + $"RETURNING {place}, {table.Row}.ctid::pg_catalog.text",
            found => (Before: found.GetString(0), Now: found.GetString(1)), cancellationToken, values.Parameters);
        return moved.Count == rows.Count
            ? moved.ToDictionary(row => row.Before, row => row.Now)
            : throw new HealingException((rows.Count == 1 ? $"a row of {table.Quoted} could not be changed: a trigger or rule of the application kept it; "
                : $"{moved.Count} of {rows.Count} rows of {table.Quoted} could be changed: a trigger or rule of the application kept the others; ")
                + "rolled back", mayPass: false);
    }

    /// <summary>What the rows hold now, which undo compares with before it puts the old values back.</summary>
    private async ValueTask Record(List<LockedRow> rows, IReadOnlyDictionary<string, string> places, CancellationToken cancellationToken)
    {
        var shape = shapes[rows[0].Row.Table];
        var now = (await session.Rows($"{RowImage.Select(shape)} WHERE {shape.Table.Row}.ctid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[]::pg_catalog.tid[])",
            RowImage.Read, cancellationToken, (object)places.Values.ToArray())).ToDictionary(image => image.Place);
        if (now.Count != rows.Count)
            throw new HealingException($"a changed row of {shape.Table.Quoted} is not where it was put: a trigger of the application changed it "
                + "again; rolled back", mayPass: false);
        await journal.Changed(shape, [.. rows.Select(row => (row, now[places[row.Row.Place]]))], cancellationToken);
    }
}
