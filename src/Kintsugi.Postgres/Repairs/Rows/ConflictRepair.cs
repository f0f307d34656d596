using System.Globalization;
using System.Text.RegularExpressions;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Checks.Uniqueness;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>
/// Rows that an exclusion constraint (or WITHOUT OVERLAPS, 18) forbids beside each other: by the owner's rule, or the most referenced first, each row
/// stays that conflicts with none that stays before it; the others go to quarantine with what refers to them; then the index is built anew.
/// </summary>
public sealed partial class ConflictRepair(ConsistencyRules rules) : IRepair
{
    private const int MostPairs = 10_000;

    public string Id => "resolve-conflicts";
    public string Does => "keeps as many of the rows that exclude each other as may stay, puts the others into quarantine and rebuilds the index";
    public IReadOnlyList<FaultClass> Mends => [Faults.UniqueViolated];
    public Grade Grade => Grade.Reversible;

    public async ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (RowGround.Refusal(healing) is { } refusal)
            return refusal;
        var target = healing.Target;
        if (healing.Findings.Count != 1 || patient.Relations.Find(target.ObjectSchema, target.Object) is not { Index: { Exclusion: true } facts } index
            || patient.Relations.Find(index.HeapOid) is not { } heap)
            return new Proposal.Refused($"{target.Name} is no exclusion constraint");
        if (await UniqueKey.Read(index, patient.Session, cancellationToken) is not { } key || key.Columns.Any(column => column.Same is null))
            return new Proposal.Refused($"by which operators {target.Name} excludes cannot be told");
        if (await GroundProof.Of(index, patient, cancellationToken) is not Verdict.Sound and var ground)
            return new Proposal.Refused($"the table under {target.Name} could not be proven: "
                + (ground is Verdict.Damaged sick ? sick.Findings[0].Evidence : ground.Why), Final: true);
        // Partly by neighbours, as the check looks: what conflicts beyond them is found from there.
        var sql = DuplicateSql.Of(key, heap, facts.NullsNotDistinct, small: true);
        var seeds = await Ask(sql!, patient, row => row.IsDBNull(2) ? "" : row.GetString(2), cancellationToken);
        var places = seeds.SelectMany(text => Place().Matches(text)).Select(match => match.Value).Distinct().ToArray();
        var pairs = await Ask(Pairs(key, heap, facts.NullsNotDistinct, places, MostPairs + 1), patient,
            row => (One: row.GetString(0), Other: row.GetString(1)), cancellationToken);
        return pairs.Count is 0 or > MostPairs
            ? new Proposal.Refused(pairs.Count == 0 ? "no rows exclude each other any more" : $"more than {MostPairs} pairs exclude each other: decide by hand")
            : await Propose(healing, index, heap, key, pairs, patient, cancellationToken);
    }

    private async ValueTask<Proposal> Propose(
        HealingCase healing, Relation index, Relation heap, UniqueKey key, IReadOnlyList<(string One, string Other)> pairs, Patient patient,
        CancellationToken cancellationToken)
    {
        var choice = rules.Unique.FirstOrDefault(rule => rule.Index.Schema == index.Schema && rule.Index.Name == index.Name);
        var role = choice?.Keep is KeepRow.OrderBy && patient.Can.Superuser && heap.Owner != patient.Can.User ? heap.Owner : null;
        var enemies = pairs.Concat(pairs.Select(pair => (One: pair.Other, Other: pair.One))).ToLookup(pair => pair.One, pair => pair.Other);
        var kept = new HashSet<string>();
        foreach (var place in await new DuplicateGroups(heap, patient).Ranked(
            [.. enemies.Select(group => group.Key)], choice?.Keep ?? new KeepRow.MostReferenced(), role, cancellationToken))
            if (!enemies[place].Any(kept.Contains))
                kept.Add(place);
        var losers = enemies.Select(group => group.Key).Where(place => !kept.Contains(place)).ToList();
        var selection = new RowSelection(patient);
        await selection.Pick(heap, losers.Select((place, i) => (place, i)).ToDictionary(pair => pair.place, pair => pair.i), cancellationToken);
        if (selection.Rows.Count != losers.Count)
            return new Proposal.Refused("the rows moved while they were looked at; run again");
        await selection.Close(cancellationToken);
        var effects = await RowEffects.Look(selection, patient, cancellationToken);
        if ((selection.Obstacle ?? effects.Obstacle) is { } obstacle)
            return new Proposal.Refused(obstacle, Final: true);
        var batch = new RowBatch { Tables = [], Rows = [], Proof = Pairs(key, heap, index.Index!.NullsNotDistinct, [.. kept], 1) };
        var plan = RowPlan.Make(Id, healing, heap, selection, batch, index.Name, "of rows that exclude each other only these may stay that conflict with none", effects);
        var rebuild = ReindexRepair.Rebuild(index, patient, healing.Database!);
        var along = selection.Rows.Count - losers.Count;
        return new Proposal.Planned(plan with
        {
            Steps = [.. plan.Steps, rebuild],
            Alters = [.. plan.Alters, healing.Target],
            ChosenByOwner = choice is not null,
            NeedsWindow = rebuild.Lock == "AccessExclusive",
            NeedsApproval = plan.NeedsApproval ?? (choice is null || along > 0
                ? $"{losers.Count.ToString(CultureInfo.InvariantCulture)} rows would leave"
                    + (along > 0 ? $" with {along.ToString(CultureInfo.InvariantCulture)} that refer to them" : "")
                    + (choice is null ? ", and no rule of the owner says which stay (consistency: unique: keep)" : "") : null),
        });
    }

    /// <summary>Pairs of which one is at one of these places.</summary>
    private static string Pairs(UniqueKey key, Relation heap, bool nullsNotDistinct, IReadOnlyList<string> places, int limit)
    {
        var same = string.Join(" AND ", key.Columns.Select((column, i) => $"a.k{i + 1} {column.Same} b.k{i + 1}"));
        var list = $"{Quote.Literal($"{{{string.Join(',', places.Select(place => $"\"{place}\""))}}}")}::pg_catalog.tid[]";
        return $"WITH r AS MATERIALIZED ({DuplicateSql.Rows(key, heap, nullsNotDistinct)}) "
            + $"SELECT a.place::pg_catalog.text, b.place::pg_catalog.text FROM r a JOIN r b ON {same} AND a.place OPERATOR(pg_catalog.<>) b.place "
            + $"WHERE a.place OPERATOR(pg_catalog.=) ANY ({list}) ORDER BY 1, 2 LIMIT {limit.ToString(CultureInfo.InvariantCulture)}";
    }

    private static ValueTask<IReadOnlyList<T>> Ask<T>(
        string sql, Patient patient, Func<System.Data.Common.DbDataReader, T> read, CancellationToken cancellationToken) =>
        patient.Session.InTransaction(Evidence.Settings(null), session => session.Rows(sql, read, cancellationToken), cancellationToken);

    [GeneratedRegex(@"\(\d+,\d+\)")]
    private static partial Regex Place();
}
