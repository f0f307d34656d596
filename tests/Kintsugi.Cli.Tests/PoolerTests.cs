using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests;

/// <summary>
/// Behind a pooler a session's settings and locks would stay with a backend that serves an application next: a READ ONLY that makes its writes fail, a
/// search_path that hides its tables. Nothing is set there, and the message says where to connect.
/// </summary>
public sealed class PoolerTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>All that a session of ours sets, and whether it holds a lock.</summary>
    private const string Traces = """
        SELECT name || '=' || setting FROM pg_catalog.pg_settings
        WHERE source = 'session' AND name <> 'application_name' AND name NOT IN ('client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings')
        UNION ALL SELECT 'advisory lock ' || objid FROM pg_catalog.pg_locks WHERE locktype = 'advisory'
        """;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Nothing_is_left_on_a_backend_that_a_pooler_hands_out(int major)
    {
        Assert.SkipUnless(PgBouncer.Program is not null, PgBouncer.Missing);
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(major, Stop);
        await database.Execute("CREATE TABLE ledger_of_app (id integer)", Stop);
        foreach (var mode in (string[])["transaction", "session"])
        {
            await using var pooler = await PgBouncer.Start(database.Cluster, mode, Stop);
            var backend = await pooler.Ask(database.Name, "SELECT pg_backend_pid()::text", Stop);
            foreach (var command in (string[][])[["check", "--depth", "quick"], ["plan"], ["heal", "--yes"], ["doctor"]])
            {
                var said = await terminal.Run([command[0], "-h", pooler.Directory, "-p", $"{PgBouncer.Port}", "-U", "postgres", "-d", database.Name, .. command[1..]]);

                said.MustRefuse("a connection pooler stands between", "Connect to the server itself");
                Assert.Equal([], await pooler.Ask(database.Name, Traces, Stop));
                Assert.Equal(["1"], await pooler.Ask(database.Name, "INSERT INTO ledger_of_app VALUES (1) RETURNING id::text", Stop));
            }
            // The one that would have kept it, or nothing was proven.
            Assert.Equal(backend, await pooler.Ask(database.Name, "SELECT pg_backend_pid()::text", Stop));
        }
        var direct = await terminal.On(database, "check", "--depth", "quick", "--only", "index-state");
        Assert.True(direct.Code == ExitCodes.Sound, direct.All);
    }
}
