using System.Text.RegularExpressions;
using Kintsugi.Pages;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Checks.Uniqueness;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>Rows that share a key that must be unique, and which of each group stays.</summary>
internal sealed partial class DuplicateGroups(Relation heap, Patient patient)
{
    /// <summary>The check tells at most so many places of one key.</summary>
    private const int MostOfOneKey = 20;

    /// <summary>Each group's places, or null where more rows share a key than are told.</summary>
    public async ValueTask<IReadOnlyList<IReadOnlyList<string>>?> Find(
        UniqueKey key, bool nullsNotDistinct, CancellationToken cancellationToken)
    {
        var lists = await patient.Session.InTransaction(Evidence.Settings(null), session => session.Rows(
            DuplicateSql.Places(key, heap, nullsNotDistinct), row => row.GetString(2), cancellationToken), cancellationToken);
        var groups = lists.Select(IReadOnlyList<string> (list) => [.. Place().Matches(list).Select(match => match.Value)]).ToList();
        return groups.Any(group => group.Count >= MostOfOneKey) ? null : groups;
    }

    /// <summary>The places of a group in the order of preference: the first one stays.</summary>
    public async ValueTask<IReadOnlyList<string>> Ranked(
        IReadOnlyList<string> group, KeepRow rule, string? role, CancellationToken cancellationToken)
    {
        if (rule is KeepRow.MostReferenced)
        {
            var counts = await References(group, cancellationToken);
            return [.. group.OrderByDescending(place => counts.GetValueOrDefault(place)).ThenBy(Tid.Parse)];
        }
        var row = Quote.Identifier(heap.Name);
        var order = rule switch
        {
            KeepRow.Newest => $"pg_catalog.age({row}.xmin), {row}.ctid DESC",
            KeepRow.Oldest => $"pg_catalog.age({row}.xmin) DESC, {row}.ctid",
            KeepRow.OrderBy { Sql: var sql } => $"{sql}, {row}.ctid",
            _ => $"{row}.ctid",
        };
        return await patient.Session.InTransaction(Evidence.Settings(role), session => session.Rows(
            $"SELECT {row}.ctid::pg_catalog.text FROM ONLY {Quote.Name(heap)} WHERE {row}.ctid = ANY ($1::pg_catalog.text[]::pg_catalog.tid[]) "
            + $"ORDER BY {order}", found => found.GetString(0), cancellationToken, (object)group.ToArray()), cancellationToken);
    }

    /// <summary>True for groups of the kept rows that still have more than one row, for the batch to look once more.</summary>
    public string Proof(UniqueKey key, bool nullsNotDistinct, IEnumerable<string> keepers)
    {
        var names = DuplicateSql.Names(key);
        var places = Quote.Literal($"{{{string.Join(',', keepers.Select(place => $"\"{place}\""))}}}");
        return $"SELECT 1 FROM ({DuplicateSql.Rows(key, heap, nullsNotDistinct)}) r GROUP BY {names} HAVING pg_catalog.count(*) > 1 "
            + $"AND pg_catalog.bool_or(place = ANY ({places}::pg_catalog.tid[]))";
    }

    private async ValueTask<IReadOnlyDictionary<string, long>> References(IReadOnlyList<string> group, CancellationToken cancellationToken)
    {
        var counts = new Dictionary<string, long>();
        foreach (var key in (await ForeignKeyReader.Read(patient, cancellationToken))
            .Where(key => !key.Period && key.ParentHeaps.Any(parent => parent.Oid == heap.Oid)))
        {
            var alias = Quote.Identifier(key.ParentAlias);
            var found = await patient.Session.InTransaction(Evidence.Settings(null), session => session.Rows(
                $"SELECT {alias}.ctid::pg_catalog.text, pg_catalog.count(*) FROM ONLY {Quote.Name(key.Child)}, {TableName.Of(heap).Placed(alias)} "
                + $"WHERE {string.Join(" AND ", key.Comparisons)} GROUP BY {alias}.ctid",
                row => (Place: row.GetString(0), Rows: row.GetInt64(1)), cancellationToken, (object)group.ToArray()), cancellationToken);
            foreach (var (place, rows) in found)
                counts[place] = counts.GetValueOrDefault(place) + rows;
        }
        return counts;
    }

    [GeneratedRegex(@"\(\d+,\d+\)")]
    private static partial Regex Place();
}
