using System.Text.Json;
using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests;

/// <summary>A check goes on where it was killed, and leaves out only what provably looks as it was proven.</summary>
public sealed class ResumeTests(Servers servers)
{
    private const string Stuck = """
        CREATE FUNCTION public.slow_compare(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN btint4cmp($1, $2); END';
        CREATE OPERATOR CLASS public.slow_ops FOR TYPE int USING btree AS
          OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 public.slow_compare(int, int);
        CREATE TABLE public.endless AS SELECT n FROM generate_series(1, 5000) n;
        CREATE INDEX endless_n ON public.endless (n public.slow_ops);
        CREATE OR REPLACE FUNCTION public.slow_compare(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
          'BEGIN PERFORM pg_sleep(5); RETURN btint4cmp($1, $2); END';
        """;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_check_that_was_killed_goes_on_behind_what_it_had_proven()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        await database.Execute(Stuck, Stop);
        string[] asked = ["check", .. Terminal.Door(database), "-d", database.Name, "--only", "heap", "--only", "btree", "-n", "public", "--format", "json"];
        using (var process = Executable.Start(terminal, asked))
        {
            await Until(database, "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'kintsugi' AND query LIKE '%bt_index_check%' "
                + "AND wait_event = 'PgSleep'");
            await Executable.Signal(process, "KILL", Stop);
            await process.WaitForExitAsync(Stop);
        }
        await database.Execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kintsugi'; "
            + "CREATE OR REPLACE FUNCTION public.slow_compare(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN btint4cmp($1, $2); END'; "
            // Made anew meanwhile: what was proven of the old one says nothing about it.
            + "DROP TABLE public.endless; CREATE TABLE public.endless AS SELECT n FROM generate_series(1, 50) n; CREATE INDEX endless_n ON public.endless (n)", Stop);

        var said = await terminal.Run([.. asked, "--resume"]);

        Assert.True(said.Code == ExitCodes.Sound, said.All);
        var carried = Carried(said.Json, "resumed");
        Assert.Contains("heap public.movies", carried);
        Assert.DoesNotContain(carried, item => item.Contains("endless", StringComparison.Ordinal));
        Assert.Contains(said.Json.GetProperty("examined").EnumerateArray(), item => item.GetProperty("target").GetString() == "public.endless_n");
        // It has come to its end: the next one has nothing to go on with.
        var again = await terminal.Run([.. asked, "--resume"]);
        Assert.Contains("begins anew", again.Error, StringComparison.Ordinal);
        Assert.Empty(Carried(again.Json, "resumed"));
    }

    [Fact]
    public async Task Out_of_time_is_gone_on_with_and_other_options_are_another_check()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        var late = await terminal.On(database, "check", "--only", "heap", "--time-limit", "1ms");
        Assert.True(late.Code == ExitCodes.Unchecked, late.All);
        Assert.Single(Directory.GetFiles(terminal.State, "*.progress"));

        var other = await terminal.On(database, "check", "--only", "heap", "-t", "movies", "--resume");
        Assert.Contains("begins anew", other.Error, StringComparison.Ordinal);
        var rest = await terminal.On(database, "check", "--only", "heap", "--resume");
        Assert.True(rest.Code == ExitCodes.Sound, rest.All);
        Assert.Empty(Directory.GetFiles(terminal.State, "*.progress"));
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task An_incremental_check_leaves_out_what_has_not_changed_and_nothing_else(int major)
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(major, Stop);
        await database.Execute("CREATE UNLOGGED TABLE fleeting AS SELECT n FROM generate_series(1, 100) n; CREATE INDEX ON movies (lower(title))", Stop);
        await database.Execute("VACUUM (FREEZE, ANALYZE)", Stop);
        var first = await Incremental(terminal, database);
        Assert.Empty(Carried(first.Json, "unchanged"));

        var second = await Incremental(terminal, database);
        var carried = Carried(second.Json, "unchanged");
        Assert.Contains("heap-pages public.movie_genres", carried);
        Assert.Contains("btree public.movie_genres_pkey", carried);
        Assert.DoesNotContain(carried, item => item.Contains("fleeting", StringComparison.Ordinal));
        // Its order is the library's to change, or a function's: no page would show it.
        Assert.DoesNotContain(carried, item => item.StartsWith("btree public.movies_lower", StringComparison.Ordinal));
        Assert.DoesNotContain(carried, item => item.StartsWith("pages ", StringComparison.Ordinal));

        await database.Execute("UPDATE movie_genres SET weight = weight WHERE movie_id = 1", Stop);
        var third = Carried((await Incremental(terminal, database)).Json, "unchanged");
        Assert.DoesNotContain(third, item => item.Contains("public.movie_genres", StringComparison.Ordinal));
        Assert.Contains("heap-pages public.diaries", third);
    }

    [Theory]
    [InlineData("heap-page-zeroed"), InlineData("heap-line-pointer-lost"), InlineData("btree-entry-extra"), InlineData("heap-page-misplaced")]
    public async Task Damage_to_what_had_not_changed_is_found_by_an_incremental_check(string name)
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        await database.Execute("VACUUM (FREEZE, ANALYZE)", Stop);
        await Incremental(terminal, database);
        await Injury.Inflict(database.Cluster, database.Name, [Injuries.Named(name)], Stop);

        var said = await Incremental(terminal, database);

        Assert.True(said.Code == ExitCodes.Damage, said.All);
        var injured = Injuries.Named(name).Target.Relation;
        Assert.Contains(said.Json.GetProperty("findings").EnumerateArray(), finding => finding.GetProperty("relation").GetString() == injured);
        Assert.NotEmpty(Carried(said.Json, "unchanged"));
    }

    /// <summary>After a checkpoint that began when the last check was through: what was changed before is then in the files.</summary>
    private static async Task<Said> Incremental(Terminal terminal, TestDatabase database)
    {
        var now = await database.Scalar<long>("SELECT extract(epoch FROM clock_timestamp())::bigint", Stop);
        await Until(database, $"SELECT extract(epoch FROM clock_timestamp())::bigint > {now} + 1");
        await database.Execute("CHECKPOINT", Stop);
        return await terminal.On(database, "check", "--incremental", "--format", "json", "--only", "pages", "--only", "heap-pages", "--only", "btree",
            "--only", "index-entries", "--only", "heap");
    }

    private static List<string> Carried(JsonElement json, string how) =>
        [.. json.GetProperty("examined").EnumerateArray().Where(item => item.TryGetProperty("carried", out var word) && word.GetString() == how)
            .Select(item => $"{item.GetProperty("check").GetString()} {item.GetProperty("target").GetString()}")];

    private static async Task Until(TestDatabase database, string sql)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!await database.Scalar<bool>(sql, Stop))
            await timer.WaitForNextTickAsync(Stop);
    }
}
