using System.Globalization;
using System.Text.RegularExpressions;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Server.Tests;

/// <summary>What a health check asks of a server: counted where the server writes down every statement and what it took.</summary>
public sealed partial class HealthCheckCostTests(Servers servers)
{
    private const int MostStatements = 20;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_health_check_takes_at_most_twenty_statements_beside_what_sets_its_sessions_up()
    {
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        var cost = await Cost(database);
        Assert.True(cost.Statements.Count <= MostStatements, cost.ToString());
    }

    /// <summary>Processor time of the server and not the clock on the wall: other tests run beside it.</summary>
    [Theory]
    [MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task With_ten_thousand_tables_it_takes_no_more_of_them_and_two_seconds_of_the_server(int major)
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("KINTSUGI_TEST_ALL") == "1", "it makes 10,000 tables: ./test --all");
        await using var database = await servers.Database(major, Stop);
        // One transaction holds a lock for each: several, each of which fits.
        for (var batch = 0; batch < 40; batch++)
            await database.Execute(string.Create(CultureInfo.InvariantCulture, $$"""
                DO $$ BEGIN
                  FOR n IN {{batch * 250}}..{{(batch * 250) + 249}} LOOP
                    EXECUTE pg_catalog.format('CREATE TABLE many_%s (id bigint PRIMARY KEY, name text, at timestamptz)', n);
                  END LOOP;
                END $$
                """), Stop);
        await MustBeCheap(database);
        // Without the extension its functions are borrowed from the server's module, for as long as they are called.
        await database.Execute("DROP EXTENSION amcheck", Stop);
        await MustBeCheap(database);
    }

    private static async Task MustBeCheap(TestDatabase database)
    {
        var cost = await Cost(database);
        Assert.True(cost.Statements.Count <= MostStatements, cost.ToString());
        Assert.True(cost.Seconds <= 2, cost.ToString());
    }

    private static async Task<Asked> Cost(TestDatabase database)
    {
        await database.Execute($"ALTER DATABASE {database.Name} SET log_statement = 'all'", Stop);
        await database.Execute($"ALTER DATABASE {database.Name} SET log_statement_stats = on", Stop);
        await using var service = new Service();
        service.Write(Service.Block + "targets:\n" + Service.Target(database));
        // On a slow machine the first health check is not over when the others begin.
        foreach (var job in new[] { "db.index_check", "db.orphan_cleanup", "db.checksum_verify" })
            Assert.Equal(0, (await service.Run("jobs", "pause", job)).Code);
        var before = new FileInfo(database.Cluster.LogFile).Length;
        service.Start();
        await service.Until("the first health check", async () =>
            (await service.Run("jobs", "list", "--format", "json")).Out.Contains("\"state\": \"done\"", StringComparison.Ordinal));
        await service.Signal("TERM");
        await service.End();

        var cost = await Read(database.Cluster.LogFile, before);
        // The rest of the log shows that the statements of this database were written down at all.
        Assert.Contains(cost.Statements, statement => statement.StartsWith("SELECT s.datname::pg_catalog.text, s.xact_commit", StringComparison.Ordinal));
        Assert.True(cost.Seconds > 0, "no statistics in the log");
        TestContext.Current.SendDiagnosticMessage($"a health check of one database on {database.Cluster.Major}: {cost.Statements.Count} statements, {cost.Seconds:0.00} s");
        return cost;
    }

    private static async Task<Asked> Read(string log, long from)
    {
        await using var file = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Seek(from, SeekOrigin.Begin);
        using var reader = new StreamReader(file);
        var lines = (await reader.ReadToEndAsync(Stop)).Split('\n');
        var statements = lines.Select(line => line.IndexOf("execute <unnamed>: ", StringComparison.Ordinal) is >= 0 and var at ? line[(at + 19)..]
                : line.IndexOf("LOG:  statement: ", StringComparison.Ordinal) is >= 0 and var plain ? line[(plain + 17)..] : "")
            .Where(statement => statement.Length > 0 && !IsSetup(statement)).ToList();
        var seconds = lines.Select(line => Usage().Match(line)).Where(usage => usage.Success).Sum(usage =>
            double.Parse(usage.Groups[1].Value, CultureInfo.InvariantCulture) + double.Parse(usage.Groups[2].Value, CultureInfo.InvariantCulture));
        return new Asked(statements, seconds);
    }

    /// <summary>Settings of a session, the question whose answer says which of them it may set, and the loan of a module's functions for one statement.</summary>
    private static bool IsSetup(string statement) => IsLoan(statement) || statement.StartsWith("SET ", StringComparison.Ordinal) || statement.StartsWith("ALTER DATABASE", StringComparison.Ordinal)
        || statement.StartsWith("SELECT rolsuper FROM", StringComparison.Ordinal) || statement.Contains("kintsugi.another_backend", StringComparison.Ordinal);

    private static bool IsLoan(string statement) => statement.StartsWith("BEGIN TRANSACTION", StringComparison.Ordinal) || statement == "ROLLBACK"
        || statement.StartsWith("CREATE FUNCTION pg_temp.", StringComparison.Ordinal);

    /// <summary>getrusage() of one statement's message; the totals of the session stand beside it in brackets.</summary>
    [GeneratedRegex(@"^\s*!\s+([0-9.]+) s user, ([0-9.]+) s system, [0-9.]+ s elapsed")]
    private static partial Regex Usage();

    private sealed record Asked(IReadOnlyList<string> Statements, double Seconds)
    {
        public override string ToString() => $"{Statements.Count} statements, {Seconds:0.00} s of the server\n{string.Join('\n', Statements)}";
    }
}
