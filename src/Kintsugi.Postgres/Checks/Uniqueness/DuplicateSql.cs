using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Uniqueness;

/// <summary>The question to the heap: which rows are the same to this key. Index scans are off in the session that
/// asks.</summary>
internal static class DuplicateSql
{
    /// <summary>Groups or pairs that are told in full.</summary>
    public const int MaxGroups = 100;

    /// <summary>Pairs of that many rows are compared one by one in some seconds.</summary>
    public const long MaxRowsForPairs = 10_000;

    /// <summary>Number of surplus rows, then per group: its key as JSON, and the places of its rows.</summary>
    public static string? Of(UniqueKey key, Relation heap, bool nullsNotDistinct, bool small)
    {
        var rows = Rows(key, heap, nullsNotDistinct);
        if (key.Columns.All(column => column.Groups))
            return Grouped(key, rows);
        if (key.Columns.All(column => column.Same is not null && column.Less is not null))
            return Sorted(key, rows, nullsNotDistinct);
        if (key.Columns.Count(column => column.Overlaps) == 1 && key.Columns.All(column => column.Overlaps || column.Groups))
            return Swept(key, rows);
        return key.Columns.All(column => column.Same is not null) && (small || key.Columns.Any(column => column.Hashes
            && column.Groups))
            ? Paired(key, rows)
            : null;
    }

    /// <summary>
    /// The rows that the key concerns. IS DISTINCT FROM NULL asks for the datum: a row value is not "IS NOT NULL" as soon as one
    /// of its
    /// fields is null.
    /// </summary>
    internal static string Rows(UniqueKey key, Relation heap, bool nullsNotDistinct)
    {
        var conditions = key.Columns.Where(_ => !nullsNotDistinct).Select(column =>
            $"{column.Expression} IS DISTINCT FROM NULL").ToList();
        if (key.Predicate is not null)
            conditions.Insert(0, $"({key.Predicate})");
        var columns = string.Join(", ", key.Columns.Select((column, i) => $"{column.Expression} AS k{i + 1}"));
        return $"SELECT ctid AS place, {columns} FROM ONLY {Quote.Name(heap)}"
            + (conditions.Count == 0 ? "" : $" WHERE {string.Join(" AND ", conditions)}");
    }

    internal static string Names(UniqueKey key, string prefix = "") =>
        string.Join(", ", Enumerable.Range(1, key.Columns.Count).Select(i => $"{prefix}k{i}"));

    /// <summary>Hashing or sorting by the type's own equality.</summary>
    private static string Grouped(UniqueKey key, string rows) => $"""
        WITH g AS MATERIALIZED (SELECT {Names(key)}, pg_catalog.count(*) AS n FROM ({rows}) r GROUP BY {Names(key)}
            HAVING pg_catalog.count(*) > 1)
        SELECT (SELECT pg_catalog.sum(n - 1)::pg_catalog.int8 FROM g), {key.Json("g.")}, NULL FROM g LIMIT {MaxGroups}
        """;

    /// <summary>The places of the rows behind the groups, asked only when there are any: gathering them costs an array for every
    /// key.</summary>
    public static string Places(UniqueKey key, Relation heap, bool nullsNotDistinct) => $"""
        WITH g AS MATERIALIZED (SELECT {Names(key)}, pg_catalog.count(*) AS n, (pg_catalog.array_agg(place))[1:20] AS places
                                FROM ({Rows(key, heap, nullsNotDistinct)}) r GROUP BY {Names(key)} HAVING pg_catalog.count(*) > 1)
        SELECT (SELECT pg_catalog.sum(n - 1)::pg_catalog.int8 FROM g), {key.Json("g.")}, g.places::pg_catalog.text
            FROM g LIMIT {MaxGroups}
        """;

    /// <summary>An operator class that is not the type's default: sorted by its own order, equal values are neighbours.</summary>
    private static string Sorted(UniqueKey key, string rows, bool nullsNotDistinct)
    {
        var order = string.Join(", ", key.Columns.Select((column, i) => $"k{i + 1} USING {column.Less}"));
        var before = string.Join(", ", key.Columns.Select((_, i) => $"pg_catalog.lag(k{i + 1}) OVER w AS p{i + 1}"));
        var same = string.Join(" AND ", key.Columns.Select((column, i) => nullsNotDistinct
            ? $"((p{i + 1} IS NOT DISTINCT FROM NULL AND k{i + 1} IS NOT DISTINCT FROM NULL) OR p{i + 1} {column.Same} k{i + 1})"
            : $"p{i + 1} {column.Same} k{i + 1}"));
        return $"""
            WITH g AS MATERIALIZED (SELECT * FROM (
                SELECT place, {Names(key)}, pg_catalog.lag(place) OVER w AS other, {before} FROM ({rows}) r
                    WINDOW w AS (ORDER BY {order})) s
                WHERE other IS NOT NULL AND {same})
            SELECT (SELECT pg_catalog.count(*) FROM g), {key.Json("g.")}, ARRAY[g.other, g.place]::pg_catalog.text
                FROM g LIMIT {MaxGroups}
            """;
    }

    /// <summary>
    /// Ranges that overlap within equal other keys. Sorted by lower bound, a range that overlaps a later one overlaps its next
    /// neighbour too,
    /// so that neighbours prove that there is none; how many there are is a lower bound.
    /// </summary>
    private static string Swept(UniqueKey key, string rows)
    {
        var range = key.Columns.Select((column, i) => (column, i)).First(pair => pair.column.Overlaps).i + 1;
        var others = Enumerable.Range(1, key.Columns.Count).Where(i => i != range).Select(i => $"k{i}").ToList();
        var partition = others.Count == 0 ? "" : $"PARTITION BY {string.Join(", ", others)} ";
        return $"""
            WITH g AS MATERIALIZED (SELECT * FROM (
                SELECT place, {Names(key)}, pg_catalog.lag(place) OVER w AS other, pg_catalog.lag(k{range}) OVER w AS before
                FROM ({rows}) r WHERE NOT pg_catalog.isempty(k{range}) WINDOW w AS ({partition}ORDER BY k{range})) s
                WHERE other IS NOT NULL AND before {key.Columns[range - 1].Same} k{range})
            SELECT (SELECT pg_catalog.count(*) FROM g), {key.Json("g.")}, ARRAY[g.other, g.place]::pg_catalog.text
                FROM g LIMIT {MaxGroups}
            """;
    }

    private static string Paired(UniqueKey key, string rows)
    {
        var same = string.Join(" AND ", key.Columns.Select((column, i) => $"a.k{i + 1} {column.Same} b.k{i + 1}"));
        return $"""
            WITH r AS MATERIALIZED ({rows}),
                 g AS MATERIALIZED (SELECT a.place AS other, b.place AS place, {Names(key, "b.")}
                                    FROM r a JOIN r b ON {same} AND a.place OPERATOR(pg_catalog.<) b.place LIMIT 10000)
            SELECT (SELECT pg_catalog.count(DISTINCT place) FROM g), {key.Json("g.")}, ARRAY[g.other, g.place]::pg_catalog.text
                FROM g LIMIT {MaxGroups}
            """;
    }
}
