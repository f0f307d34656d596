using System.Globalization;
using Kintsugi.Postgres.Repairs.Rows.Parents;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>Puts one kept row, or the old values of a changed one, back into its table.</summary>
internal sealed class RowRestoration(WriteSession session, QuarantineEntry entry)
{
    private const string ByHand = "Look at it with kintsugi quarantine show, and put it back by hand";

    /// <returns>The table, and where a row that was inserted lies now.</returns>
    public async ValueTask<(TableShape Shape, string? Place)> PutBack(CancellationToken cancellationToken)
    {
        if (entry.Kind == "moved")
            throw new HealingException($"row {entry.Key} of {entry.Relation} was only moved to the partition that it belongs to: nothing is to be "
                + "undone, and its old partition would refuse it", mayPass: false);
        var (schema, table, owner) = await Table(cancellationToken);
        var shape = await TableShape.Read(new TableName(schema, table, owner), session, cancellationToken);
        if (entry.Kind == "added")
        {
            await new AddedRow(session, entry).TakeOut(shape, cancellationToken);
            return (shape, null);
        }
        await session.Execute($"SET LOCAL ROLE {Quote.Identifier(owner)}; SET LOCAL search_path TO DEFAULT", cancellationToken);
        string? place = null;
        try
        {
            if (entry.Kind == "removed")
                place = await Insert(shape, cancellationToken);
            else if (entry.Changed.Count > 0 || entry.After.Count == 0)
                await SetBack(shape, cancellationToken);
        }
        catch (PatientException problem) when (!problem.ConnectionLost && new KeptColumns(entry, shape).Retyped(shape.Columns) is { Length: > 0 } retyped)
        {
            throw new HealingException($"row {entry.Key} of {entry.Relation} cannot be put back: {problem.Message}; {retyped}. {ByHand}", mayPass: false, problem);
        }
        await session.Execute("SET LOCAL ROLE NONE; SET LOCAL search_path = pg_catalog, pg_temp", cancellationToken);
        return (shape, place);
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

    /// <summary>Of the kept columns those that the table can take: generated ones are computed, and raw bytes are no value of a type.</summary>
    private List<(TableColumn Column, string? Value)> Writable(TableShape shape, Func<string, bool> wanted)
    {
        var columns = new List<(TableColumn, string?)>();
        var kept = new KeptColumns(entry, shape);
        for (var i = 0; i < entry.Columns.Count; i++)
        {
            if (!wanted(entry.Columns[i]))
                continue;
            var column = kept[i];
            // That a changed column held NULL before is a value too: under another name it would be left as the repair set it.
            if (column is null && (entry.Kind == "changed" || entry.Values[i] is not null || entry.Raw[i] is not null))
                throw new HealingException($"{entry.Relation} has no column {entry.Columns[i]} any more, and what is to be put back ({entry.Key}) holds a value for it. {ByHand}",
                    mayPass: false);
            if (column is null or { Generated: true })
                continue;
            if (entry.Raw[i] is { } bytes)
                throw new HealingException($"column {column.Name} of row {entry.Key} holds bytes that are no valid text "
                    + $"(\\x{Convert.ToHexStringLower(bytes[..Math.Min(bytes.Length, 40)])}): the server takes them from nobody", mayPass: false);
            columns.Add((column, entry.Values[i]));
        }
        return columns;
    }

    private async ValueTask<string> Insert(TableShape shape, CancellationToken cancellationToken)
    {
        var columns = Writable(shape, _ => true);
        var names = string.Join(", ", columns.Select(item => Quote.Identifier(item.Column.Name)));
        var values = string.Join(", ", columns.Select((item, i) => $"{Parameter(i + 1)}::{item.Column.InputType}"));
        var places = await session.Rows(
            $"INSERT INTO {shape.Table.Quoted} ({names}) OVERRIDING SYSTEM VALUE VALUES ({values}) RETURNING {shape.Table.Row}.ctid::pg_catalog.text",
            row => row.GetString(0), cancellationToken, [.. columns.Select(item => new Untyped(item.Value))]);
        await MustBe(shape, places, columns, cancellationToken);
        return places[0];
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
        var parameters = new List<object?>(columns.Select(item => new Untyped(item.Value)));
        var conditions = new List<string>();
        for (var i = 0; i < entry.Columns.Count; i++)
        {
            var column = kept[i];
            if (column is null)
                continue;
            var changed = entry.Changed.Contains(entry.Columns[i]);
            if (known && column.InKey && !changed)
                conditions.Add($"{column.Send(column.Reference)} OPERATOR(pg_catalog.=) {column.Send(Bound(parameters, entry.Values[i], column))}");
            else if (changed && entry.After.Count > i)
                conditions.Add($"({column.Send(column.Reference)}) IS NOT DISTINCT FROM ({column.Send(Bound(parameters, entry.After[i], column))})");
        }
        if (!known)
        {
            parameters.Add(entry.AfterPlace);
            parameters.Add(entry.AfterVersion);
            conditions.Add($"{shape.Table.Row}.ctid OPERATOR(pg_catalog.=) {Parameter(parameters.Count - 1)}::pg_catalog.tid AND "
                + $"{shape.Table.Row}.xmin::pg_catalog.text OPERATOR(pg_catalog.=) {Parameter(parameters.Count)}");
        }
        var set = string.Join(", ", columns.Select((item, i) => $"{Quote.Identifier(item.Column.Name)} = {Parameter(i + 1)}::{item.Column.InputType}"));
        var places = await session.Rows($"UPDATE {shape.Table.From} SET {set} WHERE {string.Join(" AND ", conditions)} RETURNING {shape.Table.Row}.ctid::pg_catalog.text",
            row => row.GetString(0), cancellationToken, [.. parameters]);
        if (places.Count != 1)
            throw new HealingException($"row {entry.Key} of {entry.Relation} is not as the repair left it: somebody changed or removed it since. "
                + "Look at both with kintsugi quarantine show", mayPass: false);
        await MustBe(shape, places, columns, cancellationToken);
    }

    /// <summary>What lies there now is what was kept, byte for byte; a trigger of the application may have meddled.</summary>
    private async ValueTask MustBe(
        TableShape shape, IReadOnlyList<string> places, IReadOnlyList<(TableColumn Column, string? Value)> columns, CancellationToken cancellationToken)
    {
        var now = places.Count == 1 ? await session.Rows($"{RowImage.Select(shape)} WHERE {shape.Table.Row}.ctid = $1::pg_catalog.tid", RowImage.Read,
            cancellationToken, places[0]) : [];
        if (now.Count != 1)
            throw new HealingException($"row {entry.Key} did not arrive in {entry.Relation}: a trigger or rule of the application keeps it out", mayPass: false);
        foreach (var (column, value) in columns)
            if (now[0].Values[IndexOf(shape, column)] != value)
                throw new HealingException($"column {column.Name} of row {entry.Key} would not come back as it was: expected {value ?? "NULL"}, found "
                    + $"{now[0].Values[IndexOf(shape, column)] ?? "NULL"}; "
                    + (new KeptColumns(entry, shape).Retyped([column]) is { Length: > 0 } retyped ? $"{retyped}. {ByHand}"
                        : "a trigger of the application changes it"), mayPass: false);
    }

    private static int IndexOf(TableShape shape, TableColumn column) => shape.Columns.TakeWhile(other => other.Name != column.Name).Count();

    private static string Bound(List<object?> parameters, string? value, TableColumn column)
    {
        parameters.Add(new Untyped(value));
        return $"{Parameter(parameters.Count)}::{column.InputType}";
    }

    private static string Parameter(int number) => $"${number.ToString(CultureInfo.InvariantCulture)}";
}
