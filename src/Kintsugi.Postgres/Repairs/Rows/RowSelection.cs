using System.Data.Common;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>
/// The rows that a repair would touch: those that the finding accuses and, where they are to leave, everything that refers to them, level by
/// level. Read from the heap alone, as the accusation was.
/// </summary>
internal sealed class RowSelection(Patient patient)
{
    /// <summary>A plan lists every row: what is more than this is a decision of its own, not a repair.</summary>
    public const int Most = 100_000;

    private readonly Dictionary<uint, int> numbers = [];
    private readonly Dictionary<(int Table, string Place), Picked> picked = [];
    private readonly Dictionary<int, TableShape> shapes = [];

    public List<Relation> Tables { get; } = [];
    public List<BatchLink> Links { get; } = [];
    public IReadOnlyCollection<Picked> Rows => picked.Values;

    /// <summary>Why the selection cannot be made, or null.</summary>
    public string? Obstacle { get; private set; }

    /// <summary>The rows of that table for which the condition is true.</summary>
    /// <param name="role">Whose rights the condition runs with where it calls user code.</param>
    public async ValueTask Accuse(Relation table, string violation, RowFate fate, string? role, CancellationToken cancellationToken)
    {
        var number = await Number(table, cancellationToken);
        // The check has just said where they all are.
        var seen = patient.Relations.RowsSeen.TryGetValue((table.Oid, violation), out var places);
        var there = seen ? $" AND {shapes[number].Table.Row}.ctid = ANY ($1::pg_catalog.text[]::pg_catalog.tid[])" : "";
        var settings = Evidence.Settings(role) + (seen ? Evidence.ByPlace : "");
        var rows = await patient.Session.InTransaction(settings, session => session.Rows(
            $"{Select(shapes[number])} FROM {shapes[number].Table.From} WHERE ({violation}){there} ORDER BY {shapes[number].Table.Row}.ctid LIMIT {Most + 1}", Read, cancellationToken,
            seen ? [places!.ToArray()] : []), cancellationToken);
        foreach (var row in rows)
            picked[(number, row.Place)] = row with { Table = number, Fate = fate, Group = picked.Count, Accused = true };
        if (rows.Count > Most)
            Obstacle = $"more than {Most} rows are concerned: decide by hand, or set the owner's rule and repair in parts";
    }

    /// <summary>Those rows of the table that lie there still, each in the group of its place.</summary>
    public async ValueTask Pick(
        Relation table, IReadOnlyDictionary<string, int> groups, CancellationToken cancellationToken)
    {
        var number = await Number(table, cancellationToken);
        var shape = shapes[number];
        var rows = await patient.Session.InTransaction(Evidence.Settings(null), session => session.Rows(
            $"{Select(shape)} FROM {shape.Table.From} WHERE {shape.Table.Row}.ctid = ANY ($1::pg_catalog.text[]::pg_catalog.tid[])",
            Read, cancellationToken, (object)groups.Keys.ToArray()), cancellationToken);
        foreach (var row in rows)
            picked[(number, row.Place)] = row with { Table = number, Fate = RowFate.Remove, Group = groups[row.Place], Accused = true };
    }

    /// <summary>Leads what refers to rows that leave to the rows that stay.</summary>
    /// <param name="keepers">The place of the row that stays, by the place of each that leaves.</param>
    public async ValueTask Redirect(
        Relation table, IReadOnlyDictionary<string, string> keepers, CancellationToken cancellationToken)
    {
        var parent = await Number(table, cancellationToken);
        foreach (var key in (await ForeignKeyReader.Read(patient, cancellationToken))
            .Where(key => key.Enforced && key.ParentHeaps.Any(heap => heap.Oid == table.Oid)))
            await Redirect(key, parent, keepers, cancellationToken);
    }

    private async ValueTask Redirect(
        ForeignKey key, int parent, IReadOnlyDictionary<string, string> keepers, CancellationToken cancellationToken)
    {
        if (key.Period)
        {
            Obstacle = $"{key.Name} refers to the table by a period: which row it means cannot be told row by row";
            return;
        }
        var child = await Number(key.Child, cancellationToken);
        var shape = shapes[child];
        var alias = Quote.Identifier(key.ParentAlias);
        var join = $"FROM {shape.Table.From}, {shapes[parent].Table.Placed(alias)} WHERE {string.Join(" AND ", key.Comparisons)}";
        Links.Add(new BatchLink(child, parent, $"SELECT {shape.Table.Row}.ctid::pg_catalog.text, {alias}.ctid::pg_catalog.text {join}"));
        var places = keepers.Keys.Concat(keepers.Values).Distinct().ToArray();
        var found = await patient.Session.InTransaction(Evidence.Settings(null), session => session.Rows(
            $"{Select(shape)}, {alias}.ctid::pg_catalog.text {join}", row => (Row: Read(row), Parent: row.GetString(4)), cancellationToken,
            (object)places), cancellationToken);
        var pairs = found.Select(pair => (pair.Row.Place, pair.Parent)).ToHashSet();
        foreach (var (row, place) in found.Where(pair => keepers.ContainsKey(pair.Parent)))
        {
            var keeper = keepers[place];
            if (picked.TryGetValue((child, row.Place), out var known) && known.Fate == RowFate.Remove)
                continue;
            var both = pairs.Contains((row.Place, keeper));
            if (both && key.OnDelete is 'c' or 'n' or 'd')
                Obstacle = $"both rows are the parent of the same rows of {key.Child.Schema}.{key.Child.Name} ({key.Name}), and to remove one would act on "
                    + "them: drop that constraint, heal, and add it again";
            var assignments = key.Columns.Zip(key.ParentColumns, (column, source) => new Assignment(column,
                $"(SELECT keeper.{Quote.Identifier(source)} FROM {shapes[parent].Table.From} AS keeper "
                + $"WHERE keeper.ctid OPERATOR(pg_catalog.=) {Quote.Literal(keeper)}::pg_catalog.tid)"));
            picked[(child, row.Place)] = row with
            {
                Table = child,
                Fate = both ? RowFate.Witness : RowFate.Set,
                Group = picked[(parent, place)].Group,
                Own = both ? [] : [.. known?.Own ?? [], .. assignments],
            };
        }
    }

    /// <summary>Everything that refers to rows that are to leave, however many levels below.</summary>
    public async ValueTask Close(CancellationToken cancellationToken)
    {
        var keys = await ForeignKeyReader.Read(patient, cancellationToken);
        var level = picked.Values.Where(row => row.Fate == RowFate.Remove).ToList();
        while (level.Count > 0 && Obstacle is null)
        {
            var next = new List<Picked>();
            foreach (var table in level.GroupBy(row => row.Table).ToList())
                foreach (var key in keys.Where(key => key.Enforced && key.ParentHeaps.Any(heap => heap.Oid == Tables[table.Key].Oid)))
                    next.AddRange(await Referring(key, table.Key, [.. table], cancellationToken));
            if (picked.Count > Most)
                Obstacle = $"the rows and what refers to them are more than {Most}: decide by hand";
            level = next;
        }
    }

    private async ValueTask<IReadOnlyList<Picked>> Referring(
        ForeignKey key, int parent, IReadOnlyList<Picked> rows, CancellationToken cancellationToken)
    {
        if (key.Period)
        {
            Obstacle = $"{key.Name} refers to it by a period: what hangs on a row cannot be told row by row";
            return [];
        }
        var child = await Number(key.Child, cancellationToken);
        var shape = shapes[child];
        var alias = Quote.Identifier(key.ParentAlias);
        var join = $"FROM {shape.Table.From}, {shapes[parent].Table.Placed(alias)} WHERE {string.Join(" AND ", key.Comparisons)}";
        var link = new BatchLink(child, parent, $"SELECT {shape.Table.Row}.ctid::pg_catalog.text, {alias}.ctid::pg_catalog.text {join}");
        if (!Links.Contains(link))
            Links.Add(link);
        // The server sets the reference itself; where the row has no key, undo could not find it again, so it is put away whole.
        var fate = key is { OnDelete: 'n' or 'd', Triggers: "enabled" } && child != parent && shape.Key.Any() ? RowFate.Witness : RowFate.Remove;
        var found = await patient.Session.InTransaction(Evidence.Settings(null), session => session.Rows(
            $"{Select(shape)}, {alias}.ctid::pg_catalog.text {join}", row => (Row: Read(row), Parent: row.GetString(4)), cancellationToken,
            (object)rows.Select(row => row.Place).ToArray()), cancellationToken);
        var fresh = new List<Picked>();
        foreach (var (row, place) in found)
        {
            var group = picked[(parent, place)].Group;
            if (picked.TryGetValue((child, row.Place), out var known))
            {
                Join(known.Group, group);
                if (known.Fate != RowFate.Witness || fate == RowFate.Witness)
                    continue;
            }
            picked[(child, row.Place)] = row with { Table = child, Fate = fate, Group = group };
            if (fate == RowFate.Remove)
                fresh.Add(picked[(child, row.Place)]);
        }
        return fresh;
    }

    private void Join(int one, int other)
    {
        if (one == other)
            return;
        foreach (var (place, row) in picked.Where(pair => pair.Value.Group == one).ToList())
            picked[place] = row with { Group = other };
    }

    private async ValueTask<int> Number(Relation table, CancellationToken cancellationToken)
    {
        if (numbers.TryGetValue(table.Oid, out var number))
            return number;
        number = Tables.Count;
        Tables.Add(table);
        numbers[table.Oid] = number;
        shapes[number] = await TableShape.Read(TableName.Of(table), patient.Session, cancellationToken);
        return number;
    }

    public TableShape Shape(int table) => shapes[table];

    private static string Select(TableShape shape) =>
        $"SELECT {shape.Table.Row}.ctid::pg_catalog.text, {shape.Table.Row}.xmin::pg_catalog.text, {shape.Hash}, "
        + $"pg_catalog.pg_column_size({shape.Table.Row}.*)::pg_catalog.int8";

    private static Picked Read(DbDataReader row) => new(row.GetString(0), row.GetString(1), row.GetString(2), row.GetInt64(3));
}

/// <summary>A row that the plan will name.</summary>
/// <param name="Bytes">How large it is, for the size of a batch.</param>
internal sealed record Picked(string Place, string Version, string Hash, long Bytes)
{
    public int Table { get; init; }
    public RowFate Fate { get; init; }
    public int Group { get; init; }
    public bool Accused { get; init; }
    public IReadOnlyList<Assignment> Own { get; init; } = [];
}
