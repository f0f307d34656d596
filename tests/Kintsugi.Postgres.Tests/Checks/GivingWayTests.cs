using Kintsugi.Postgres.Sessions;
using Kintsugi.Postgres.Tests.Fixtures;
using Npgsql;

namespace Kintsugi.Postgres.Tests.Checks;

/// <summary>Statements over whole tables leave the other processors to those who work beside them.</summary>
public sealed class GivingWayTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(13)]
    [InlineData(18)]
    public async Task Beside_somebody_at_work_a_look_has_no_parallel_workers_and_alone_it_has_the_servers(int major)
    {
        await using var cluster = await servers.Cluster(major, Stop);
        await cluster.Execute("ALTER SYSTEM SET max_parallel_workers_per_gather = 3", Stop);
        await cluster.Execute("SELECT pg_catalog.pg_reload_conf()", Stop);
        await using var factory = new SessionFactory(_ => cluster.ConnectionString, new SessionLimits());
        await using var session = await factory.OpenRead(null, Stop);

        await using var neighbour = new NpgsqlConnection(cluster.ConnectionString);
        await neighbour.OpenAsync(Stop);
        await using var work = new NpgsqlCommand("SELECT 1", neighbour);
        await work.ExecuteScalarAsync(Stop);
        Assert.Equal("0", await Workers(session));
        // Until that is two seconds ago: nobody does anything but us.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (await Workers(session) != "3")
            patience.Token.ThrowIfCancellationRequested();

        await work.ExecuteScalarAsync(Stop);
        Assert.Equal("0", await Workers(session));
        Assert.Equal("3", (await session.Rows("SELECT pg_catalog.current_setting('max_parallel_workers_per_gather')", row => row.GetString(0), Stop))[0]);
    }

    private static ValueTask<string> Workers(ReadSession session) => session.InTransaction("SET LOCAL enable_seqscan = on", async inside =>
        (await inside.Rows("SELECT pg_catalog.current_setting('max_parallel_workers_per_gather')", row => row.GetString(0), Stop))[0], Stop);
}
