using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests;

public sealed class InterruptTests(Servers servers)
{
    private const string Ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'kintsugi'";

    /// <summary>An index whose every comparison takes its time: examining it takes hours.</summary>
    private const string Endless = """
        CREATE FUNCTION public.slow_compare(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN btint4cmp($1, $2); END';
        CREATE OPERATOR CLASS public.slow_ops FOR TYPE int USING btree AS
          OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 public.slow_compare(int, int);
        CREATE TABLE public.endless AS SELECT n FROM generate_series(1, 5000) n;
        CREATE INDEX endless_n ON public.endless (n public.slow_ops);
        CREATE OR REPLACE FUNCTION public.slow_compare(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
          'BEGIN PERFORM pg_sleep(5); RETURN btint4cmp($1, $2); END';
        """;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("INT", "check")]
    [InlineData("TERM", "check")]
    [InlineData("INT", "heal")]
    public async Task A_signal_ends_the_command_and_its_work_on_the_server(string signal, string command)
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        await database.Execute(Endless, Stop);
        var before = await database.Scalar<long>("SELECT count(*) FROM pg_class", Stop);
        using var process = Executable.Start(
            terminal, [command, .. Terminal.Door(database), "-d", database.Name, "--only", "btree", "-i", "endless_n"]);
        await Until(database, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'kintsugi' AND query LIKE '%bt_index_check%' "
            + "AND state = 'active' AND wait_event = 'PgSleep'", 1);

        await Executable.Signal(process, signal, Stop);
        var said = await Executable.End(process, Stop);

        Assert.True(said.Code == ExitCodes.Interrupted, $"exit {said.Code}\n{said.All}");
        Assert.Contains("interrupted", said.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", said.All, StringComparison.Ordinal);
        await Until(database, Ours, 0);
        Assert.Equal(before, await database.Scalar<long>("SELECT count(*) FROM pg_class", Stop));
    }

    private static async Task Until(TestDatabase database, string sql, long expected)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (await database.Scalar<long>(sql, Stop) != expected)
            await timer.WaitForNextTickAsync(Stop);
    }
}
