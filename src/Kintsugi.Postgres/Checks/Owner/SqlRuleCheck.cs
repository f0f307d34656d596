using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Checks.Owner;

/// <summary>
/// The owner's rules in SQL: queries that return the keys of bad rows. They run READ ONLY, under the fixed search_path, for five
/// minutes at most, and twice: only what both runs return counts.
/// </summary>
public sealed class SqlRuleCheck(ConsistencyRules rules) : ICheck
{
    /// <summary>No query of the owner's runs longer.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromMinutes(5);

    public string Id => "rule";
    public string Proves => "the owner's own rules in SQL hold";
    public Layer Layer => Layer.Value;
    public Depth Depth => Depth.Standard;
    public IReadOnlyList<FaultClass> Finds => [Faults.RuleViolated];
    public Needs Needs { get; } = new();

    private sealed record RulePortion(Target Target, SqlRule Rule, IReadOnlyList<string> Key) : Portion(Target);

    private sealed record Look(long Rows, IReadOnlyList<string> Keys);

    public async ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken)
    {
        var keys = await TableKeys.Read(patient.Session, cancellationToken);
        var twice = rules.Sql.GroupBy(rule => rule.Name).Where(group => group.Count() > 1).Select(group => group.Key).ToHashSet();
        return [.. rules.Sql.Select(rule => twice.Contains(rule.Name)
            ? RuleTables.Unasked(rule.Name, rule.Table, "another rule has the same name; mend the configuration", patient)
            : RuleTables.Find(rule.Table, patient) is { } table
                ? new RulePortion(
                    table.ToTarget(patient.Can.SystemIdentifier, patient.Relations.Database) with { Rule = rule.Name }, rule,
                    keys.Of(table))
                {
                    Relation = table,
                    Weight = table.Pages,
                    StandsOn = [table.Oid, table.ToastOid],
                    Settled = Eligible.Settle(table, patient),
                }
                : RuleTables.Unasked(rule.Name, rule.Table, RuleTables.NoTable(rule.Table), patient))];
    }

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        var asked = (RulePortion)portion;
        try
        {
            await patient.Pace.Spend(asked.Relation!.Pages * 8192, cancellationToken);
            var first = await Ask(asked.Rule, patient.Session, cancellationToken);
            if (first.Rows == 0)
                return Verdict.Sound.Instance;
            var second = await Ask(asked.Rule, patient.Session, cancellationToken);
            var both = second.Keys.Intersect(first.Keys).ToList();
            return both.Count == 0
                ? Verdict.Sound.Instance
                : new Verdict.Damaged(Tell(asked, second.Rows <= RowSearch.MaxConfirmed ? both.Count : second.Rows, both));
        }
        catch (PatientException problem) when (problem is { ConnectionLost: false, SqlState: not null })
        {
            return new Verdict.Unchecked($"rule {asked.Rule.Name}: {Why(problem)}");
        }
    }

    /// <summary>
    /// Inside FROM a query can neither be several statements nor change anything at its top level; READ ONLY forbids the rest.
    /// </summary>
    private async ValueTask<Look> Ask(SqlRule rule, IReadSession session, CancellationToken cancellationToken)
    {
        var from = $"FROM (\n{rule.Query.Trim().TrimEnd(';')}\n) AS kintsugi_rule";
        return await session.InTransaction(
            $"{Evidence.Settings(null)}; SET LOCAL statement_timeout = {(long)Limit.TotalMilliseconds}", async inside =>
        {
            var rows = (await inside.Rows($"SELECT pg_catalog.count(*) {from}", row => row.GetInt64(0), cancellationToken))[0];
            return rows == 0
                ? new Look(0, [])
                : new Look(rows, await inside.Rows(
                    $"SELECT pg_catalog.row_to_json(kintsugi_rule)::pg_catalog.text {from} ORDER BY 1 LIMIT "
                        + $"{RowSearch.MaxConfirmed}",
                    row => row.GetString(0), cancellationToken));
        }, cancellationToken);
    }

    private string Why(PatientException problem) => problem.SqlState switch
    {
        SqlStates.QueryCanceled => $"the query did not end within {Limit.TotalSeconds} s; make it cheaper, or part it",
        "25006" => "the query writes, and rules only look; mend the configuration",
        "42601" => $"syntax error: {problem.Message}; mend the configuration (one query, no semicolon)",
        SqlStates.UndefinedTable or SqlStates.UndefinedFunction or "42703" =>
            $"{problem.Message}; names need their schema in front, for the search_path holds pg_catalog alone",
        _ => $"{problem.Message} (SQLSTATE {problem.SqlState})",
    };

    private static Finding Tell(RulePortion portion, long rows, List<string> keys)
    {
        var rule = portion.Rule;
        return new Finding(
            Faults.RuleViolated, portion.Target,
            $"{rows} {(rows == 1 ? "row breaks" : "rows break")} rule {rule.Name}, for example {keys[0]}")
        {
            SeverityOverride = rule.Severity,
            Rows = rows,
            Key = rows == 1 ? keys[0] : null,
            Samples = [.. keys.Take(RowSearch.MaxSamples)],
            Hint = Said.Repairable,
            Facts = new Dictionary<string, string>(RowFacts.Of(Question(portion), rule.Repair, null))
            {
                [FactNames.Constraint] = rule.Name,
                [FactNames.Origin] = "rule",
                [FactNames.Query] = rule.Query,
            },
        };
    }

    /// <summary>The rows of the table whose key the query returns under the same names, for a repair to ask row by row.</summary>
    private static RowQuestion Question(RulePortion portion)
    {
        var row = Quote.Identifier(portion.Relation!.Name);
        string Columns(string of) => string.Join(", ", portion.Key.Select(column => $"{of}.{Quote.Identifier(column)}"));
        return new RowQuestion(portion.Relation!, portion.Key.Count == 0
            ? "false"
            : $"EXISTS (SELECT FROM (\n{portion.Rule.Query.Trim().TrimEnd(';')}\n) AS kintsugi_rule "
                + $"WHERE pg_catalog.record_image_eq(ROW({Columns("kintsugi_rule")}), ROW({Columns(row)})))", portion.Key);
    }
}
