using Kintsugi.Postgres.Repairs.Rows.Parents;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>Puts kept rows, or the old values of changed ones, back into their table by one statement.</summary>
/// <param name="entries">One, or several of one table and kind, with the same columns kept and changed.</param>
internal sealed class RowRestoration(WriteSession session, IReadOnlyList<QuarantineEntry> entries)
{
    private const string ByHand = "Look at it with kintsugi quarantine show, and put it back by hand";

    /// <summary>What is said of one is true of all.</summary>
    private readonly QuarantineEntry entry = entries[0];

    /// <returns>The table, and where rows that were inserted lie now.</returns>
    public async ValueTask<(TableShape Shape, IReadOnlyList<string> Places)> PutBack(CancellationToken cancellationToken)
    {
        if (entry.Kind == "moved")
            throw new HealingException($"row {entry.Key} of {entry.Relation} was only moved to the partition that it belongs to: nothing is to be "
                + "undone, and its old partition would refuse it", mayPass: false);
        var (schema, table, owner) = await Table(cancellationToken);
        var shape = await TableShape.Read(new TableName(schema, table, owner), session, cancellationToken);
        if (entry.Kind == "added")
        {
            await new AddedRow(session, entry).TakeOut(shape, cancellationToken);
            return (shape, []);
        }
        await session.Execute($"SET LOCAL ROLE {Quote.Identifier(owner)}; SET LOCAL search_path TO DEFAULT", cancellationToken);
        IReadOnlyList<string> places = [];
        try
        {
            if (entry.Kind == "removed")
                places = await Insert(shape, cancellationToken);
            else if (entry.Changed.Count > 0 || entry.After.Count == 0)
                await SetBack(shape, cancellationToken);
        }
        catch (PatientException problem) when (!problem.ConnectionLost && new KeptColumns(entry, shape).Retyped(shape.Columns) is { Length: > 0 } retyped)
        {
            throw new HealingException($"row {entry.Key} of {entry.Relation} cannot be put back: {problem.Message}; {retyped}. {ByHand}", mayPass: false, problem);
        }
        await session.Execute("SET LOCAL ROLE NONE; SET LOCAL search_path = pg_catalog, pg_temp", cancellationToken);
        return (shape, places);
    }

    private async ValueTask<(string Schema, string Name, string Owner)> Table(CancellationToken cancellationToken)
    {
        var found = await session.Rows("""
            SELECT n.nspname::pg_catalog.text, c.relname::pg_catalog.text, pg_catalog.pg_get_userbyid(c.relowner)::pg_catalog.text
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = pg_catalog.to_regclass($1)::pg_catalog.oid
            """, row => (row.GetString(0), row.GetString(1), row.GetString(2)), cancellationToken, entry.Relation);
        return found.Count == 1 ? found[0] : throw new HealingException(
            $"table {entry.Relation} is gone: its kept rows can be seen with kintsugi quarantine show, and put into another table by hand", mayPass: false);
    }

    /// <summary>Of the kept columns those that the table can take, and where their values are kept: generated ones are computed, and raw bytes are no value of a type.</summary>
    private List<(TableColumn Column, int At)> Writable(TableShape shape, Func<string, bool> wanted)
    {
        var columns = new List<(TableColumn, int)>();
        var kept = new KeptColumns(entry, shape);
        for (var i = 0; i < entry.Columns.Count; i++)
        {
            if (!wanted(entry.Columns[i]))
                continue;
            var column = kept[i];
            // That a changed column held NULL before is a value too: under another name it would be left as the repair set it.
            if (column is null && entries.FirstOrDefault(one => one.Kind == "changed" || one.Values[i] is not null || one.Raw[i] is not null) is { } homeless)
                throw new HealingException($"{entry.Relation} has no column {entry.Columns[i]} any more, and what is to be put back ({homeless.Key}) holds a value for it. {ByHand}",
                    mayPass: false);
            if (column is null or { Generated: true })
                continue;
            if (entries.FirstOrDefault(one => one.Raw[i] is not null) is { } raw)
                throw new HealingException($"column {column.Name} of row {raw.Key} holds bytes that are no valid text "
                    + $"(\\x{Convert.ToHexStringLower(raw.Raw[i]![..Math.Min(raw.Raw[i]!.Length, 40)])}): the server takes them from nobody", mayPass: false);
            columns.Add((column, i));
        }
        return columns;
    }

    private async ValueTask<IReadOnlyList<string>> Insert(TableShape shape, CancellationToken cancellationToken)
    {
        var columns = Writable(shape, _ => true);
        var table = new ValueTable();
        var names = string.Join(", ", columns.Select(item => Quote.Identifier(item.Column.Name)));
        var values = string.Join(", ", columns.Select(item => Kept(table, item.Column, item.At)));
        var places = await session.Rows($"INSERT INTO {shape.Table.Quoted} ({names}) OVERRIDING SYSTEM VALUE SELECT {values} FROM {table.From} "
            + $"ORDER BY {ValueTable.Number} RETURNING {shape.Table.Row}.ctid::pg_catalog.text", row => row.GetString(0), cancellationToken, table.Parameters);
        await MustBe(shape, places, columns, cancellationToken);
        return places;
    }

    /// <summary>The row is found by its key, else by the place and version that the repair left; a row that was changed since is nobody's to overwrite.</summary>
    private async ValueTask SetBack(TableShape shape, CancellationToken cancellationToken)
    {
        var columns = Writable(shape, name => entry.Changed.Count == 0 || entry.Changed.Contains(name));
        var kept = new KeptColumns(entry, shape);
        var known = shape.Key.Any() && shape.Key.All(column => kept.IndexOf(column) >= 0);
        if (!known && entry.AfterPlace is null)
            throw new HealingException($"row {entry.Key} of {entry.Relation} cannot be found again: the key of the table is another one by now. {ByHand}",
                mayPass: false);
        var table = new ValueTable();
        var set = string.Join(", ", columns.Select(item => $"{Quote.Identifier(item.Column.Name)} = {Kept(table, item.Column, item.At)}"));
        var conditions = new List<string>();
        for (var i = 0; i < entry.Columns.Count; i++)
        {
            var (at, column) = (i, kept[i]);
            if (column is null)
                continue;
            var changed = entry.Changed.Contains(entry.Columns[i]);
            if (known && column.InKey && !changed)
                conditions.Add($"{column.Send(column.Reference)} OPERATOR(pg_catalog.=) {column.Send(Kept(table, column, i))}");
            else if (changed && entry.After.Count > i)
                conditions.Add($"({column.Send(column.Reference)}) IS NOT DISTINCT FROM ({column.Send(table.Values(column, entries.Select(one => one.After[at])))})");
        }
        if (!known)
            conditions.Add($"{shape.Table.Row}.ctid OPERATOR(pg_catalog.=) {table.Texts(entries.Select(one => one.AfterPlace))}::pg_catalog.tid AND "
                + $"{shape.Table.Row}.xmin::pg_catalog.text OPERATOR(pg_catalog.=) {table.Texts(entries.Select(one => one.AfterVersion))}");
        var found = await session.Rows($"UPDATE {shape.Table.From} SET {set} FROM {table.From} WHERE {string.Join(" AND ", conditions)} "
            + $"RETURNING {ValueTable.Number}, {shape.Table.Row}.ctid::pg_catalog.text", row => (Number: row.GetInt64(0), Place: row.GetString(1)),
            cancellationToken, table.Parameters);
        if (found.Count != entries.Count || found.Select(row => row.Number).Distinct().Count() != entries.Count)
            throw new HealingException($"row {entry.Key} of {entry.Relation} is not as the repair left it: somebody changed or removed it since. "
                + "Look at both with kintsugi quarantine show", mayPass: false);
        await MustBe(shape, [.. found.OrderBy(row => row.Number).Select(row => row.Place)], columns, cancellationToken);
    }

    private string Kept(ValueTable table, TableColumn column, int at) => table.Values(column, entries.Select(one => one.Values[at]));

    /// <summary>What lies there now is what was kept, byte for byte; a trigger of the application may have meddled.</summary>
    private async ValueTask MustBe(
        TableShape shape, IReadOnlyList<string> places, IReadOnlyList<(TableColumn Column, int At)> columns, CancellationToken cancellationToken)
    {
        var now = places.Count == entries.Count ? (await session.Rows(
            $"{RowImage.Select(shape)} WHERE {shape.Table.Row}.ctid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[]::pg_catalog.tid[])", RowImage.Read,
            cancellationToken, (object)places.ToArray())).ToDictionary(image => image.Place) : [];
        for (var i = 0; i < entries.Count; i++)
            MustBe(shape, entries[i], places.Count == entries.Count ? now.GetValueOrDefault(places[i]) : null, columns);
    }

    private static void MustBe(TableShape shape, QuarantineEntry entry, RowImage? now, IReadOnlyList<(TableColumn Column, int At)> columns)
    {
        if (now is null)
            throw new HealingException($"row {entry.Key} did not arrive in {entry.Relation}: a trigger or rule of the application keeps it out", mayPass: false);
        foreach (var (column, at) in columns)
            if (now.Values[IndexOf(shape, column)] is var found && found != entry.Values[at])
                throw new HealingException($"column {column.Name} of row {entry.Key} would not come back as it was: expected {entry.Values[at] ?? "NULL"}, found "
                    + $"{found ?? "NULL"}; " + (new KeptColumns(entry, shape).Retyped([column]) is { Length: > 0 } retyped ? $"{retyped}. {ByHand}"
                        : "a trigger of the application changes it"), mayPass: false);
    }

    private static int IndexOf(TableShape shape, TableColumn column) => shape.Columns.TakeWhile(other => other.Name != column.Name).Count();
}
