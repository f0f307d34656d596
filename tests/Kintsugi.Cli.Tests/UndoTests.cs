using System.Text.Json;
using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests;

public sealed class UndoTests(Servers servers)
{
    private static readonly string[] Narrow = ["--only", "foreign-key", "-t", "public.movie_genres", "-t", "public.movies"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static string[] Door(TestDatabase database) => [.. Terminal.Door(database), "-d", database.Name];

    [Fact]
    public async Task Rows_are_put_away_only_when_allowed_and_come_back_when_nothing_stands_against_it()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        await Injury.Inflict(database.Cluster, database.Name, [new OrphanSingle()], Stop);
        var injured = await database.Fingerprint(Stop);

        var waiting = await terminal.On(database, ["heal", "--yes", .. Narrow]);
        Assert.True(waiting.Code == ExitCodes.Damage, waiting.All);
        Assert.Contains("--allow reversible", waiting.All, StringComparison.Ordinal);
        Assert.True(injured.CompareWith(await database.Fingerprint(Stop)).IsEmpty);

        var healed = await terminal.On(database, ["heal", "--yes", "--allow", "reversible", "--format", "json", .. Narrow]);
        Assert.True(healed.Code == ExitCodes.Sound, healed.All);
        using var report = JsonDocument.Parse(healed.Out);
        var healing = report.RootElement.GetProperty("cases").EnumerateArray().Single();
        Assert.Equal(3, healing.GetProperty("rows_quarantined").GetInt32());
        var id = healing.GetProperty("id").GetString()!;

        using var listed = JsonDocument.Parse((await terminal.Run(["quarantine", "list", "--format", "json", .. Door(database)])).Out);
        Assert.Equal(3, listed.RootElement.GetProperty("rows").GetArrayLength());
        Assert.Contains("movie_id", (await terminal.Run(["quarantine", "show", id, .. Door(database)])).Out, StringComparison.Ordinal);
        (await terminal.On(database, "undo", id)).MustRefuse("movie_genres_movie_id_fkey", "nothing was put back");
        (await terminal.On(database, "uninstall")).MustRefuse("3 rows lie in quarantine");

        await database.Execute("ALTER TABLE movie_genres DROP CONSTRAINT movie_genres_movie_id_fkey", Stop);
        var undone = await terminal.On(database, "undo", id);
        Assert.True(undone.Code == ExitCodes.Sound, undone.All);
        Assert.Contains("undone", (await terminal.Run("cases")).Out, StringComparison.Ordinal);
        Assert.True(injured.CompareWith(await database.Fingerprint(Stop)).IsEmpty);
        Assert.Equal(ExitCodes.Sound, (await terminal.On(database, "uninstall")).Code);
        Assert.False(await database.Scalar<bool>("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'kintsugi')", Stop));
    }
    [Fact]
    public async Task What_the_owner_wants_deleted_goes_for_good_only_when_that_plan_was_approved()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        await Injury.Inflict(database.Cluster, database.Name, [new OrphanSingle()], Stop);
        var file = terminal.NewFile("config.yaml", """
            consistency:
              constraints: [ { constraint: public.movie_genres.movie_genres_movie_id_fkey, repair: delete } ]
            """);
        string[] heal = ["heal", "--yes", "--allow", "lossy", "-c", file, "--format", "json", "-D", database.Cluster.DataDirectory, .. Narrow];

        var waiting = await terminal.On(database, heal);
        Assert.True(waiting.Code == ExitCodes.Damage, waiting.All);
        var asked = waiting.Json.GetProperty("cases").EnumerateArray().Single();
        Assert.Equal("waiting", asked.GetProperty("outcome").GetString());
        Assert.Contains("lossy (3 rows at stake)", asked.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal(3L, await database.Scalar<long>("SELECT count(*) FROM movie_genres WHERE movie_id > 8000000", Stop));

        await terminal.Run("cases", "approve", asked.GetProperty("id").GetString()!);
        var healed = await terminal.On(database, heal);
        Assert.True(healed.Code == ExitCodes.Sound, healed.All);
        var done = healed.Json.GetProperty("cases").EnumerateArray().Single();
        Assert.Equal(("healed", 3), (done.GetProperty("outcome").GetString(), done.GetProperty("rows_lost").GetInt32()));
        Assert.NotNull(done.GetProperty("snapshot").GetString());
        Assert.Equal(0L, await database.Scalar<long>("SELECT count(*) FROM kintsugi.quarantine", Stop));
    }
}
