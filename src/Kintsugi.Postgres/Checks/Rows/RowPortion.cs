using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Rows;

/// <summary>Questions about the rows of one table that have one name, and how to tell what they bring.</summary>
internal sealed record RowPortion(Target Target, IReadOnlyList<RowTest> Tests, TablePass Pass) : Portion(Target)
{
    /// <summary>A portion over that table, standing on its heap and its out-of-line values.</summary>
    public static RowPortion Of(
        Relation table, string rule, string? column, IReadOnlyList<RowTest> tests, TablePass pass, Patient patient)
    {
        foreach (var test in tests)
            pass.Add(test.Question);
        return new RowPortion(
            table.ToTarget(patient.Can.SystemIdentifier, patient.Relations.Database) with { Rule = rule, Column = column },
                tests, pass)
        {
            Relation = table,
            Weight = table.Pages,
            StandsOn = [table.Oid, table.ToastOid],
            Settled = Eligible.Settle(table, patient),
        };
    }

    /// <summary>Each holds a lock until the statement ends; they are few beside max_locks_per_transaction.</summary>
    private const int TablesPerStatement = 25;

    /// <summary>Many small tables in one statement: those in which no row answers any of their questions.</summary>
    public static async ValueTask<IReadOnlyCollection<Portion>> Acquit(
        IReadOnlyList<Portion> portions, Patient patient, CancellationToken cancellationToken)
    {
        var small = (await Small.Of([.. portions.Where(AsOurselves)], patient, cancellationToken)).Select(one => (RowPortion)one.Portion);
        var acquitted = new List<Portion>();
        foreach (var few in small.Chunk(TablesPerStatement))
        {
            var sql = Small.AnyOf(few.Select(portion => string.Join(" UNION ALL ",
                portion.Tests.Select(test => $"SELECT 1 FROM {test.Question.From} WHERE {test.Question.Violation}"))));
            acquitted.AddRange(await patient.Session.InTransaction(Evidence.Settings(null), async session =>
            {
                if (await Evidence.Distrust(session, sql, cancellationToken) is not null)
                    return [];
                var accused = await session.Rows(sql, row => row.GetInt32(0), cancellationToken);
                return few.Where((_, i) => !accused.Contains(i));
            }, cancellationToken));
        }
        return acquitted;
    }

    /// <summary>A statement has one role.</summary>
    private static bool AsOurselves(Portion portion) => portion is RowPortion rows && rows.Tests.All(test => test.Question.Role is null);

    public async ValueTask<Verdict> Examine(Patient patient, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        Verdict.Unchecked? failed = null;
        foreach (var test in Tests)
        {
            try
            {
                if (await Pass.Clears(test.Question, patient, cancellationToken))
                    continue;
                var found = await RowSearch.Find(test.Question, patient, cancellationToken);
                if (found.Untrusted is { } why)
                    failed = new Verdict.Unchecked(why);
                else if (found.Rows > 0)
                    findings.Add(await test.Tell(Target, found, patient, cancellationToken));
            }
            catch (PatientException problem) when (problem is { ConnectionLost: false, SqlState: not null })
            {
                failed = await Explain(problem, patient, cancellationToken);
                if (failed is null)
                    return new Verdict.NotApplicable("dropped meanwhile");
            }
        }
        return findings.Count == 0 && failed is not null ? failed : Verdict.From(findings);
    }

    /// <summary>What an error means for the question; null when the table itself is gone.</summary>
    private async ValueTask<Verdict.Unchecked?> Explain(
        PatientException problem, Patient patient, CancellationToken cancellationToken)
    {
        if (SqlStates.IsGone(problem.SqlState) && (await patient.Session.Rows(
            "SELECT 1 FROM pg_catalog.pg_class WHERE oid = $1", _ => 1, cancellationToken, Relation!.Oid)).Count == 0)
            return null;
        var advice = problem.SqlState switch
        {
            SqlStates.UndefinedFunction or SqlStates.UndefinedTable or SqlStates.UndefinedObject =>
                "; a function that it calls names something without its schema: give that function a search_path of its own "
                + "(ALTER FUNCTION … SET search_path = …)",
            SqlStates.InsufficientPrivilege => "; grant SELECT, or connect as the owner or with BYPASSRLS",
            _ => "",
        };
        return new Verdict.Unchecked(
            $"the condition could not be evaluated: {problem.Message} (SQLSTATE {problem.SqlState}){advice}");
    }
}

/// <param name="Tell">Writes the finding; it may look up more about the rows.</param>
internal sealed record RowTest(
    RowQuestion Question, Func<Target, RowsFound, Patient, CancellationToken, ValueTask<Finding>> Tell);
