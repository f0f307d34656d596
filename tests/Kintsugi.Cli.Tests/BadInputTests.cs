using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests;

/// <summary>Each one clear message with the next thing to do, exit 1, nothing changed.</summary>
public sealed class BadInputTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("--jobs takes a number from 1 to 64", "check", "--jobs", "0")]
    [InlineData("--jobs", "check", "--jobs", "many")]
    [InlineData("--time-limit takes a duration such as 30s", "check", "--time-limit", "soon")]
    [InlineData("longer than nothing", "check", "--time-limit", "0s")]
    [InlineData("at most ten years", "check", "--time-limit", "999999w")]
    [InlineData("--max-rate takes megabytes", "check", "--max-rate", "-3")]
    [InlineData("--max-rate takes megabytes", "check", "--max-rate", "fast")]
    [InlineData("-w and -W contradict each other", "check", "-w", "-W")]
    [InlineData("--all and the name of a database contradict", "check", "--all", "-d", "app")]
    [InlineData("--quiet and --verbose contradict", "check", "-q", "-v")]
    [InlineData("--only btree and --skip btree contradict", "check", "--only", "btree", "--skip", "btree")]
    [InlineData("--dry-run makes a plan", "heal", "--dry-run", "--plan", "plan.json")]
    [InlineData("too many dotted names", "check", "-t", "a.b.c")]
    [InlineData("a quote that is not closed", "check", "-t", "\"open")]
    [InlineData("cannot be read", "check", "-t", "[a")]
    [InlineData("Try \"kintsugi check --help\"", "check", "--depth", "bottomless")]
    [InlineData("there is no option --nonsense", "check", "--nonsense")]
    [InlineData("Try \"kintsugi --help\"", "chekc")]
    [InlineData("cannot be used", "heal", "--plan", "/no/such/plan.json")]
    [InlineData("port", "check", "-p", "70000")]
    public async Task What_makes_no_sense_is_refused_before_anything_is_done(string words, params string[] arguments)
    {
        using var terminal = new Terminal();
        var said = await terminal.Run(arguments);
        Assert.Equal(ExitCodes.CouldNotRun, said.Code);
        Assert.StartsWith("kintsugi: ", said.Error, StringComparison.Ordinal);
        Assert.Contains(words, said.Error, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("   at ", said.All, StringComparison.Ordinal);
        Assert.Empty(said.Out);
    }

    [Fact]
    public async Task Rules_that_make_no_sense_are_refused_all_at_once_with_line_and_column_before_a_server_is_asked()
    {
        using var terminal = new Terminal();
        var file = Path.Combine(Path.GetDirectoryName(terminal.State)!, "rules.yaml");
        await File.WriteAllTextAsync(file, """
            database: { connection: "host=/nowhere" }
            consistency:
              json:
                - column: public.e.p
                  schema: { $ref: "#/$defs/none" }
                - { column: public.e.q, schema: { tpye: object } }
              rules:
                - { name: a, table: public.e, query: "select 1" }
                - { name: a, table: public.e, query: "select 2" }
            """, Stop);

        (await terminal.Run("check", "-c", file)).MustRefuse("3 mistakes", ":5:", "points to nothing", ":6:", "tpye", ":9:", "already given at");
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_named()
    {
        using var terminal = new Terminal();
        (await terminal.Run("check", "-h", terminal.State, "-p", "5433", "-U", "me")).MustRefuse(
            "cannot connect to me@", "5433", "Is the server running there?");
    }

    [Fact]
    public async Task A_database_that_does_not_exist_is_named_with_the_way_out()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        (await terminal.Run(["check", .. Terminal.Door(database), "no such"])).MustRefuse("\"no such\" does not exist", "3D000", "--all");
    }

    [Fact]
    public async Task What_names_nothing_on_the_server_is_refused()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        (await terminal.On(database, "check", "-t", "no_such_*")).MustRefuse("no relation matches the pattern no_such_*");
        (await terminal.On(database, "check", "-i", "movies")).MustRefuse("no relation matches the pattern movies");
        (await terminal.On(database, "check", "--only", "tarot")).MustRefuse("there is no check called tarot", "btree");
        (await terminal.On(database, "check", "-D", terminal.NewFile("file", ""))).MustRefuse("is no directory", "PG_VERSION");
        (await terminal.On(database, "check", "-D", "/usr")).MustRefuse("/usr is not a data directory");
        (await terminal.On(database, "check", "-c", terminal.PathOf("none.yaml"))).MustRefuse("none.yaml");
        (await terminal.On(database, "check", "-c", terminal.NewFile("bad.yaml", "mode: sing\nnonsense: 1\n"))).MustRefuse("2 mistakes", "1:", "2:");
    }

    [Fact]
    public async Task A_wrong_password_is_told_with_the_ways_to_give_one()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        await database.Execute("CREATE ROLE scrammed LOGIN PASSWORD 'right'", Stop);
        var rules = Path.Combine(database.Cluster.DataDirectory, "pg_hba.conf");
        await File.WriteAllTextAsync(rules, "local all postgres trust\nlocal all scrammed scram-sha-256\n", Stop);
        await database.Execute("SELECT pg_reload_conf()", Stop);

        terminal.Variables["PGPASSWORD"] = "wrong";
        (await terminal.As("scrammed", database, "check")).MustRefuse("password authentication failed", "28P01", "~/.pgpass");
        terminal.Variables.Remove("PGPASSWORD");
        (await terminal.As("scrammed", database, "check", "-W")).MustRefuse("there is no terminal to ask on", "PGPASSWORD");
        (await terminal.As("scrammed", database, "check")).MustRefuse("cannot connect to scrammed@");
        (await terminal.As("stranger", database, "check")).MustRefuse("28000", "pg_hba.conf");
        terminal.Variables["PGPASSWORD"] = "right";
        Assert.Equal(ExitCodes.Sound, (await terminal.As("scrammed", database, "check", "--only", "index-state")).Code);
    }

    [Fact]
    public async Task A_server_older_than_13_is_not_touched()
    {
        using var terminal = new Terminal();
        using var old = new OldServer("12.22");
        var serving = old.Serve(Stop);

        (await terminal.Run("check", "-h", "127.0.0.1", "-p", $"{old.Port}", "-U", "me")).MustRefuse("PostgreSQL 12.22", "13 and later");

        Assert.Equal("X", await serving);
    }

    [Fact]
    public async Task A_state_that_cannot_be_kept_stops_heal_and_is_told_by_check()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        terminal.Variables["KINTSUGI_STATE"] = terminal.NewFile("occupied", "");

        (await terminal.On(database, "heal", "--yes", "--only", "index-state")).MustRefuse("state directory", "$KINTSUGI_STATE");
        (await terminal.Run("cases")).MustRefuse("state directory");
        var check = await terminal.On(database, "check", "--only", "index-state");
        Assert.Equal(ExitCodes.Sound, check.Code);
        Assert.Contains("warning: what was proven is not kept", check.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broken_ledger_stops_heal_with_a_way_out()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        Directory.CreateDirectory(terminal.State);
        await File.WriteAllTextAsync(Path.Combine(terminal.State, "ledger.db"), new string('x', 20_000), Stop);

        (await terminal.On(database, "heal", "--yes", "--only", "index-state")).MustRefuse("ledger");
        (await terminal.Run("cases")).MustRefuse("ledger");
    }

    [Fact]
    public async Task Unknown_cases_and_snapshots_are_refused()
    {
        using var terminal = new Terminal();
        (await terminal.Run("cases", "show", "123")).MustRefuse("there is no case 123", "kintsugi cases");
        (await terminal.Run("cases", "accept", "123")).MustRefuse("--because");
        (await terminal.Run("snapshots", "verify", "nothing")).MustRefuse("nothing");
        (await terminal.Run("snapshots", "show", "../../etc")).MustRefuse("../../etc");
    }
}
