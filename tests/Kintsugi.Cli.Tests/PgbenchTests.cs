using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests;

/// <summary>People go on working while we look: none of their transactions fails, and nothing of what they write is accused.</summary>
public sealed class PgbenchTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Pgbench_runs_beside_a_standard_check_without_an_error(int major)
    {
        Assert.SkipUnless(Pgbench.Program is not null, Pgbench.Missing);
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(major, Stop);
        string[] door = ["-h", database.Cluster.SocketDirectory, "-p", $"{database.Cluster.Port}", "-U", "postgres"];
        Task<CommandResult> Run(params string[] arguments) => ExternalCommand.Run([Pgbench.Program!, .. door, .. arguments, database.Name], Stop);
        var made = await Run("-i", "-q", "-s", "2", "--foreign-keys");
        Assert.True(made.Succeeded, made.Output);

        // So many transactions, however long they take; checks follow each other until they are through.
        var bench = Run("-n", "-c", "4", "-t", "1500");
        var checks = 0;
        do
        {
            var said = await terminal.On(database, "check", "-D", database.Cluster.DataDirectory, "--format", "json");
            Assert.True(said.Code is ExitCodes.Sound or ExitCodes.Unchecked, said.All);
            Assert.DoesNotContain(said.Json.GetProperty("findings").EnumerateArray(), finding => finding.GetProperty("database").GetString() == database.Name);
            checks++;
        }
        while (!bench.IsCompleted);
        var result = await bench;

        Assert.True(result.Succeeded && checks > 0, result.Output);
        Assert.Contains("number of transactions actually processed: 6000/6000", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("ERROR", result.Output, StringComparison.Ordinal);
    }

    /// <summary>What is injured in the tables that pgbench writes: an index, a map, rows, and what a failed rebuild left.</summary>
    private static readonly string[] Injuries =
    [
        """
        CREATE FUNCTION bench_compare(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT
          AS 'SELECT CASE WHEN $1 < $2 THEN -1 WHEN $1 > $2 THEN 1 ELSE 0 END';
        CREATE OPERATOR CLASS bench_ops FOR TYPE integer USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
          FUNCTION 1 bench_compare(integer, integer);
        CREATE INDEX bench_balance ON pgbench_accounts (bid bench_ops, aid bench_ops)
        """,
        """
        CREATE OR REPLACE FUNCTION bench_compare(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT
          AS 'SELECT CASE WHEN $1 < $2 THEN 1 WHEN $1 > $2 THEN -1 ELSE 0 END'
        """,
        "SET session_replication_role = replica; INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) SELECT 1, 1, 9000000 + g, 0, now() FROM generate_series(1, 3) g",
        "CREATE UNIQUE INDEX pgbench_tellers_pkey_ccnew ON pgbench_tellers (tid)",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'pgbench_tellers_pkey_ccnew'::regclass",
    ];

    public static TheoryData<int> Loaded => Environment.GetEnvironmentVariable("KINTSUGI_TEST_ALL") == "1" ? TestMajors.Ends : [TestMajors.Newest];

    [Theory, MemberData(nameof(Loaded))]
    public async Task Pgbench_writes_the_tables_that_are_healed_without_an_error_and_no_update_is_lost(int major)
    {
        Assert.SkipUnless(Pgbench.Program is not null, Pgbench.Missing);
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(major, Stop);
        string[] door = ["-h", database.Cluster.SocketDirectory, "-p", $"{database.Cluster.Port}", "-U", "postgres"];
        Task<CommandResult> Run(params string[] arguments) => ExternalCommand.Run([Pgbench.Program!, .. door, .. arguments, database.Name], Stop);
        var made = await Run("-i", "-q", "-s", "1", "--foreign-keys");
        Assert.True(made.Succeeded, made.Output);
        foreach (var injury in Injuries)
            await database.Execute(injury, Stop);
        string[] heal = ["heal", "-t", "pgbench_*", "--yes", "--allow", "reversible", "--format", "json"];

        var bench = Run("-n", "-c", "8", "-j", "2", "-t", "600");
        var healed = new List<string>();
        do
        {
            var said = await terminal.On(database, heal);
            healed.AddRange(said.Json.GetProperty("cases").EnumerateArray().Where(one => one.GetProperty("outcome").GetString() == "healed")
                .Select(one => one.GetProperty("fault").GetString()!));
        }
        while (!bench.IsCompleted);
        var result = await bench;

        Assert.True(result.Succeeded, result.Output);
        Assert.Contains("number of transactions actually processed: 4800/4800", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("ERROR", result.Output, StringComparison.Ordinal);
        Assert.Equal(["index-corrupt", "index-invalid", "row-orphaned"], healed.Distinct().Order(StringComparer.Ordinal));
        Assert.Equal("4800 0 0 0", await database.Scalar<string>("""
            SELECT format('%s %s %s %s', (SELECT count(*) FROM pgbench_history), sum(delta) - (SELECT sum(abalance) FROM pgbench_accounts),
              sum(delta) - (SELECT sum(tbalance) FROM pgbench_tellers), sum(delta) - (SELECT sum(bbalance) FROM pgbench_branches)) FROM pgbench_history
            """, Stop));
        Assert.Equal(3L, await database.Scalar<long>("SELECT count(*) FROM kintsugi.quarantine", Stop));
        Assert.Equal(0L, await database.Scalar<long>("SELECT count(*) FROM pg_class WHERE relname ~ '_cc(new|old)[0-9]*$'", Stop));
        var after = await terminal.On(database, "check", "-t", "pgbench_*");
        Assert.True(after.Code is ExitCodes.Sound or ExitCodes.Unchecked, after.All);
    }
}
