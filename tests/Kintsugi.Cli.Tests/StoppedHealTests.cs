using System.Text.Json;
using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests;

/// <summary>A server that is down and does not start: its files are tried on a copy and put back with approval.</summary>
public sealed class StoppedHealTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<int, bool> Endings()
    {
        var data = new TheoryData<int, bool>();
        foreach (var row in TestMajors.Ends)
        {
            data.Add(row.Data, true);
            data.Add(row.Data, false);
        }
        return data;
    }

    [Theory, MemberData(nameof(Endings))]
    public async Task Files_that_keep_a_server_from_starting_are_tried_on_a_copy_approved_put_back_and_undone(int major, bool clean)
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(major, Stop);
        var data = database.Cluster.DataDirectory;
        await database.Execute("UPDATE movies SET minutes = minutes + 1", Stop);
        var before = await Rows(database);
        await (clean ? database.Cluster.Stop(StopMode.Fast, Stop) : database.Cluster.Kill(Stop));
        File.Delete(Path.Combine(data, "global/pg_control"));
        File.Delete(Path.Combine(data, "PG_VERSION"));
        Directory.Delete(Path.Combine(data, "pg_notify"), recursive: true);
        Assert.NotNull(await database.Cluster.TryStart(Stop));

        var waiting = await terminal.Run("heal", "-D", data, "--yes", "--depth", "quick", "--format", "json");

        Assert.True(waiting.Code == ExitCodes.Damage, waiting.All);
        var cases = waiting.Json.GetProperty("cases").EnumerateArray().ToList();
        Assert.Equal(["PG_VERSION", "global/pg_control", "pg_notify"], cases.Select(one => one.GetProperty("object").GetString()).Order(StringComparer.Ordinal));
        Assert.All(cases, one => Assert.True(one.GetProperty("outcome").GetString() == "waiting", waiting.Out));
        Assert.False(File.Exists(Path.Combine(data, "global/pg_control")));

        foreach (var one in cases)
            Assert.Equal(ExitCodes.Sound, (await terminal.Run("cases", "approve", one.GetProperty("id").GetString()!)).Code);
        var healed = await terminal.Run("heal", "-D", data, "--yes", "--depth", "quick", "--format", "json");

        Assert.True(healed.Code is ExitCodes.Sound or ExitCodes.Unchecked, healed.All);
        Assert.All(healed.Json.GetProperty("cases").EnumerateArray(), one => Assert.True(one.GetProperty("outcome").GetString() == "healed", healed.Out));
        var control = Id(cases, "global/pg_control");
        var undone = await terminal.Run("undo", control, "-D", data);
        Assert.True(undone.Code == ExitCodes.Sound, undone.All);
        Assert.False(File.Exists(Path.Combine(data, "global/pg_control")));
        await terminal.Run("heal", "-D", data, "--yes", "--depth", "quick");
        await terminal.Run("cases", "approve", control);
        var again = await terminal.Run("heal", "-D", data, "--yes", "--depth", "quick");
        Assert.True(again.Code is ExitCodes.Sound or ExitCodes.Unchecked, again.All);

        await database.Cluster.Start(Stop);
        Assert.Equal(before, await Rows(database));
        await database.Execute("INSERT INTO genres (id, slug) VALUES (9001, 'after')", Stop);
        var refused = await terminal.Run("undo", control, "-D", data, "-h", "/nowhere");
        Assert.NotEqual(ExitCodes.Sound, refused.Code);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        var late = await terminal.Run("undo", control, "-D", data);
        late.MustRefuse("has been changed since it was put there");
        await database.Cluster.Start(Stop);
    }

    [Fact]
    public async Task Relation_maps_come_back_beside_and_in_place_by_a_plan_file_and_a_killed_run_is_finished()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        var data = database.Cluster.DataDirectory;
        var home = $"base/{await database.Scalar<uint>("SELECT oid FROM pg_database WHERE datname = current_database()", Stop)}";
        var before = await database.Fingerprint(Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        string[] lost = [$"{home}/pg_filenode.map", "global/pg_filenode.map"];
        foreach (var file in lost)
            File.Delete(Path.Combine(data, file));
        await File.WriteAllTextAsync(Path.Combine(data, "postmaster.pid"), "", Stop);
        Assert.NotNull(await database.Cluster.TryStart(Stop));
        var (plan, beside) = (terminal.PathOf("plan.json"), terminal.PathOf("beside"));
        string[] heal = ["heal", "-D", data, "--plan", plan, "--yes", "--depth", "quick", "--format", "json"];

        Assert.Equal(ExitCodes.Damage, (await terminal.Run("plan", "-D", data, "--depth", "quick", "--out", plan)).Code);
        var laid = await terminal.Run([.. heal, "--beside", beside]);

        Assert.True(laid.Code == ExitCodes.Damage, laid.All);
        Assert.True(laid.Json.GetProperty("cases").EnumerateArray().Any(one => one.GetProperty("reason").GetString()!.Contains("beside", StringComparison.Ordinal)), laid.All);
        Assert.Equal(3, laid.Json.GetProperty("cases").EnumerateArray().Count(one => one.GetProperty("reason").GetString()!.Contains("put into the copy beside", StringComparison.Ordinal)));
        Assert.False(File.Exists(Path.Combine(data, lost[0])));
        var copy = await terminal.Run("check", "-D", Path.Combine(beside, "data"), "--depth", "quick");
        Assert.True(copy.Code is ExitCodes.Sound or ExitCodes.Unchecked, copy.All);

        using (var killed = Executable.Start(terminal, heal))
        {
            while (!killed.HasExited && !lost.Any(file => File.Exists(Path.Combine(data, file))))
                await Task.Yield();
            if (!killed.HasExited)
                await Executable.Signal(killed, "KILL", Stop);
            await killed.WaitForExitAsync(Stop);
        }
        await terminal.Run("plan", "-D", data, "--depth", "quick", "--out", plan);
        var finished = await terminal.Run(heal);

        Assert.True(finished.Code is ExitCodes.Sound or ExitCodes.Unchecked, finished.All);
        Assert.All((await terminal.Run("cases", "--format", "json")).Json.GetProperty("cases").EnumerateArray(), row => Assert.Equal("healed", row.GetProperty("state").GetString()));
        Assert.Empty(Directory.EnumerateFiles(data, "*.kintsugi-new", SearchOption.AllDirectories));
        await database.Cluster.Start(Stop);
        Assert.True(before.CompareWith(await database.Fingerprint(Stop)).IsEmpty);
    }

    [Fact]
    public async Task A_lost_commit_log_is_told_from_the_rows_tried_on_a_copy_put_back_and_undone()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        var (data, lost) = (database.Cluster.DataDirectory, Path.Combine(database.Cluster.DataDirectory, "pg_xact/0000"));
        string[] heal = ["heal", "-D", data, "--yes", "--depth", "quick", "--format", "json"];
        await database.Execute("VACUUM", Stop);
        await database.Execute("UPDATE movies SET minutes = minutes + 1", Stop);
        await database.Execute("BEGIN; DELETE FROM movies WHERE id NOT IN (SELECT movie_id FROM movie_genres); UPDATE genres SET slug = slug || '!'; ROLLBACK", Stop);
        var before = await database.Fingerprint(Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        File.Delete(lost);
        Assert.NotNull(await database.Cluster.TryStart(Stop));

        var waiting = await terminal.Run(heal);

        Assert.True(waiting.Code == ExitCodes.Damage, waiting.All);
        var one = Assert.Single(waiting.Json.GetProperty("cases").EnumerateArray());
        Assert.True(one.GetProperty("outcome").GetString() == "waiting", waiting.All);
        Assert.Equal("transaction-status-missing", one.GetProperty("fault").GetString());
        var id = one.GetProperty("id").GetString()!;
        for (var time = 0; time < 2; time++)
        {
            Assert.Equal(ExitCodes.Sound, (await terminal.Run("cases", "approve", id)).Code);
            var healed = await terminal.Run(heal);
            Assert.True(healed.Code is ExitCodes.Sound or ExitCodes.Unchecked, healed.All);
            Assert.True(File.Exists(lost));
            if (time == 0)
            {
                Assert.Equal(ExitCodes.Sound, (await terminal.Run("undo", id, "-D", data)).Code);
                Assert.False(File.Exists(lost));
                await terminal.Run(heal);
            }
        }
        await database.Cluster.Start(Stop);
        Assert.True(before.CompareWith(await database.Fingerprint(Stop)).IsEmpty);
    }

    private static string Id(IEnumerable<JsonElement> cases, string file) =>
        cases.Single(one => one.GetProperty("object").GetString() == file).GetProperty("id").GetString()!;

    private static async Task<string> Rows(TestDatabase database) => (await database.Scalar<string>(
        "SELECT md5(string_agg(m::text, '|' ORDER BY m.id)) FROM movies m", Stop))!;
}
