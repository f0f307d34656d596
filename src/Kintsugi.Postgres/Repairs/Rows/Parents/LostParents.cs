using System.Globalization;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows.Parents;

/// <summary>
/// Looks for the parents of orphans, and for theirs where they refer to rows that are gone too, level by level: in quarantine, then among the dead
/// versions on the pages, then, where the owner wants that, as a new row with nothing but the key.
/// </summary>
internal sealed class LostParents(Patient patient, IReadOnlyList<ForeignKey> keys, DeadVersions? dead)
{
    /// <summary>A plan lists every row; a person is to look at each.</summary>
    private const int Most = 1_000;

    /// <param name="Partly">It is of use too when only some find their parents.</param>
    /// <param name="New">Those of which nothing is left may be made new.</param>
    private readonly record struct Wish(bool Partly, bool New);

    private readonly Dictionary<string, ParentRow> found = [];
    private readonly Dictionary<uint, TableShape> shapes = [];

    public IReadOnlyCollection<ParentRow> Rows => found.Values;

    /// <summary>Why what was found cannot be put back, or null.</summary>
    public string? Obstacle { get; private set; }
    public List<string> Warnings { get; } = [];

    /// <summary>What is true as long as parents that were found are missing: gives rows then, and none after they are back.</summary>
    public string Missing { get; private set; } = "";

    /// <param name="template">The owner wants parents of which nothing is left to be made new.</param>
    public async ValueTask Collect(ForeignKey key, Seekers seekers, bool template, CancellationToken cancellationToken)
    {
        var level = await Parents(key, seekers, new Wish(Partly: true, template), cancellationToken);
        if (level.Count == 0)
            return;
        Missing = $"SELECT 1 FROM {RowSource.Parents(key, level, await Shape(level[0].Table, cancellationToken))}, {seekers.From} "
            + $"WHERE ({seekers.Condition}) AND {string.Join(" AND ", key.Comparisons)} LIMIT 1";
        while (level.Count > 0 && Obstacle is null)
        {
            if (found.Count > Most)
                Obstacle = $"more than {Most} parents are to be brought back: decide by hand";
            level = await Above(level, cancellationToken);
        }
    }

    /// <summary>Parents before their children, as foreign keys want it.</summary>
    public async ValueTask<IReadOnlyList<ParentRow>> Ordered(CancellationToken cancellationToken)
    {
        var waiting = found.Values.ToList();
        var needs = waiting.ToDictionary(row => row.Identity, _ => new HashSet<string>());
        foreach (var (key, children) in Referring(waiting))
        {
            var parents = waiting.Where(row => key.ParentHeaps.Any(heap => heap.Oid == row.Table.Oid)).ToList();
            if (parents.Count == 0)
                continue;
            var pairs = await Ask($"SELECT {Quote.Identifier(key.Child.Name)}.{RowSource.Number}, {Quote.Identifier(key.ParentAlias)}.{RowSource.Number} FROM "
                + $"{RowSource.Children(key, children, await Shape(children[0].Table, cancellationToken))}, "
                + $"{RowSource.Parents(key, parents, await Shape(parents[0].Table, cancellationToken))} WHERE {string.Join(" AND ", key.Comparisons)}",
                row => (Child: children[row.GetInt32(0)], Parent: parents[row.GetInt32(1)]), cancellationToken);
            foreach (var (child, parent) in pairs.Where(pair => pair.Child != pair.Parent))
                needs[child.Identity].Add(parent.Identity);
        }
        var ordered = new List<ParentRow>();
        var placed = new HashSet<string>();
        while (waiting.Find(row => needs[row.Identity].IsSubsetOf(placed)) is { } next)
        {
            ordered.Add(next);
            placed.Add(next.Identity);
            waiting.Remove(next);
        }
        if (waiting.Count > 0)
            Obstacle = $"{waiting.Count} of the parents refer to each other in a circle: put them back by hand, with their constraints deferred";
        return ordered;
    }

    /// <summary>The lost rows that rows of this level refer to in their turn.</summary>
    private async ValueTask<IReadOnlyList<ParentRow>> Above(IReadOnlyList<ParentRow> level, CancellationToken cancellationToken)
    {
        var above = new List<ParentRow>();
        foreach (var (key, children) in Referring(level))
        {
            var shape = await Shape(children[0].Table, cancellationToken);
            var known = Rows.Where(row => key.ParentHeaps.Any(heap => heap.Oid == row.Table.Oid)).ToList();
            var condition = key.Violation + (known.Count == 0 ? "" : $" AND NOT EXISTS (SELECT FROM "
                + $"{RowSource.Parents(key, known, await Shape(known[0].Table, cancellationToken))} WHERE {string.Join(" AND ", key.Comparisons)})");
            var raw = await RawKeysOf(key, children, cancellationToken);
            var seekers = new Seekers(RowSource.Children(key, children, shape), condition, _ => ValueTask.FromResult(raw));
            if (!await Any(seekers, "", cancellationToken))
                continue;
            if (key.Period)
            {
                Obstacle = $"a parent that was found refers by a period ({key.Name}) to rows that are gone too";
                return [];
            }
            above.AddRange(await Parents(key, seekers, new Wish(Partly: false, New: false), cancellationToken));
        }
        return above;
    }

    /// <summary>Null where they lie on no page, or only the server can tell whether two keys are equal.</summary>
    private async ValueTask<IReadOnlySet<string>?> RawKeysOf(ForeignKey key, IReadOnlyList<ParentRow> children, CancellationToken cancellationToken)
    {
        if (children.Any(row => row.Tuple is null) || await RawKeys.OfTable(key.Child, key.Columns, patient.Session, cancellationToken) is not { } columns)
            return null;
        foreach (var heap in key.ParentHeaps)
            if (await RawKeys.OfTable(heap, key.ParentColumns, patient.Session, cancellationToken) is not { } parents || !columns.IsComparableWith(parents))
                return null;
        return children.Select(row => columns.OfTuple(row.Tuple)).OfType<string>().ToHashSet();
    }

    private IEnumerable<(ForeignKey Key, IReadOnlyList<ParentRow> Children)> Referring(IReadOnlyList<ParentRow> rows) =>
        from key in keys
        where key is { Enforced: true, Triggers: "enabled" }
        let children = rows.Where(row => row.Table.Oid == key.Child.Oid).ToList()
        where children.Count > 0
        select (key, (IReadOnlyList<ParentRow>)children);

    private async ValueTask<IReadOnlyList<ParentRow>> Parents(ForeignKey key, Seekers seekers, Wish wish, CancellationToken cancellationToken)
    {
        var chosen = new Dictionary<string, ParentRow>();
        var kept = await Matching(key, seekers, await KeptRows.Of(key, patient.Session, cancellationToken), cancellationToken);
        var left = dead is null ? [] : await Matching(key, seekers, await dead.Of(key, seekers.RawKeys, cancellationToken), cancellationToken);
        // Of several versions under one key the one that was written last.
        foreach (var (row, same) in kept.Concat(left.OrderByDescending(match => unchecked((int)(match.Row.Writer - left[0].Row.Writer)))))
            if (!chosen.ContainsKey(same))
                chosen[same] = row.Tuple is null ? row : await Canonical(row, cancellationToken);
        var rows = chosen.Values.ToList();
        // Whether all of them found one is of no interest where none did, and costs as much as the check.
        if (rows.Count == 0 && wish is { Partly: true, New: false })
            return [];
        var others = rows.Count == 0 ? "" : $" AND NOT EXISTS (SELECT FROM {RowSource.Parents(key, rows, await Shape(rows[0].Table, cancellationToken))} "
            + $"WHERE {string.Join(" AND ", key.Comparisons)})";
        if (await Any(seekers, others, cancellationToken))
        {
            if (wish.New)
                rows.AddRange(await New(key, seekers, others, cancellationToken));
            else if (!wish.Partly)
                Obstacle = $"a row of {key.Child.Schema}.{key.Child.Name} that was found refers by {key.Name} to a row of {key.Parent.Schema}.{key.Parent.Name} "
                    + "of which nothing is left";
            else
                Warnings.Add($"not for every orphan of {key.Name} a parent was found: the others stay as they are");
        }
        foreach (var row in rows)
            found.TryAdd(row.Identity, row);
        return rows;
    }

    /// <summary>
    /// Those that are the parent of a seeker, by the constraint's own comparison, each with the first key that looks for it: the same for parents
    /// whose keys are equal, however these are spelt (1.0 and 1.00, citext).
    /// </summary>
    private async ValueTask<IReadOnlyList<(ParentRow Row, string Same)>> Matching(
        ForeignKey key, Seekers seekers, IReadOnlyList<ParentRow> candidates, CancellationToken cancellationToken)
    {
        if (candidates.Count == 0)
            return [];
        var child = Quote.Identifier(key.Child.Name);
        var spelling = string.Join(", ", key.Columns.Select(column => $"{child}.{Quote.Identifier(column)}"));
        return await Ask($"SELECT {Quote.Identifier(key.ParentAlias)}.{RowSource.Number}, "
            + $"pg_catalog.min(pg_catalog.json_build_array({spelling})::pg_catalog.text COLLATE pg_catalog.\"C\") FROM "
            + $"{RowSource.Parents(key, candidates, await Shape(candidates[0].Table, cancellationToken))}, {seekers.From} "
            + $"WHERE ({seekers.Condition}) AND {string.Join(" AND ", key.Comparisons)} GROUP BY 1 ORDER BY 1",
            row => (candidates[row.GetInt32(0)], row.GetString(1)), cancellationToken);
    }

    /// <summary>A parent with its key and the defaults of its other columns, as the owner chose.</summary>
    private async ValueTask<IReadOnlyList<ParentRow>> New(ForeignKey key, Seekers seekers, string others, CancellationToken cancellationToken)
    {
        var shape = await Shape(key.Parent, cancellationToken);
        if (key.Parent.Kind == 'p')
            Obstacle = $"{key.Parent.Schema}.{key.Parent.Name} is partitioned: into which partition a new parent belongs is not decided here";
        var child = Quote.Identifier(key.Child.Name);
        var columns = string.Join(", ", key.Columns.Select(column => $"pg_catalog.format('%s', {child}.{Quote.Identifier(column)})"));
        var rows = await Ask($"SELECT DISTINCT {columns} FROM {seekers.From} WHERE ({seekers.Condition}){others} "
            // Of a key that is null in part (MATCH FULL) no parent can be made.
            + $"AND pg_catalog.num_nulls({string.Join(", ", key.Columns.Select(column => $"{child}.{Quote.Identifier(column)}"))}) = 0 LIMIT {Most + 1}",
            row => key.Columns.Select((_, i) => (string?)row.GetString(i)).ToList(), cancellationToken);
        Warnings.Add($"{rows.Count} new rows of {shape.Table.Quoted} hold nothing but their key and the defaults of their other columns");
        return [.. rows.Select((values, n) => new ParentRow(key.Parent, key.ParentColumns, values, $"new row {(n + 1).ToString(CultureInfo.InvariantCulture)}"))];
    }

    /// <summary>The values in the server's own spelling: what it takes for another value than was meant would be told by it.</summary>
    private async ValueTask<ParentRow> Canonical(ParentRow row, CancellationToken cancellationToken)
    {
        var shape = await Shape(row.Table, cancellationToken);
        var texts = row.Columns.Select((column, i) => row.Values[i] is { } text
            ? $"pg_catalog.format('%s', {Quote.Literal(text)}::{shape.Columns.First(other => other.Name == column).InputType})" : "NULL::pg_catalog.text");
        return row with
        {
            Values = (await Ask($"SELECT {string.Join(", ", texts)}", found => row.Columns.Select((_, i) => found.IsDBNull(i) ? null : found.GetString(i)).ToList(),
                cancellationToken))[0],
        };
    }

    private async ValueTask<bool> Any(Seekers seekers, string others, CancellationToken cancellationToken) =>
        (await Ask($"SELECT EXISTS (SELECT FROM {seekers.From} WHERE ({seekers.Condition}){others})", row => row.GetBoolean(0), cancellationToken))[0];

    private ValueTask<IReadOnlyList<T>> Ask<T>(string sql, Func<System.Data.Common.DbDataReader, T> read, CancellationToken cancellationToken) =>
        patient.Session.InTransaction(Evidence.Settings(null), session => session.Rows(sql, read, cancellationToken), cancellationToken);

    private async ValueTask<TableShape> Shape(Relation table, CancellationToken cancellationToken)
    {
        if (!shapes.TryGetValue(table.Oid, out var shape))
            shapes[table.Oid] = shape = await TableShape.Read(TableName.Of(table), patient.Session, cancellationToken);
        return shape;
    }
}
