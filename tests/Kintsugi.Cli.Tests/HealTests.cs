using System.Text.Json;
using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests;

public sealed class HealTests(Servers servers)
{
    private const string Invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
    private static readonly string[] Narrow = ["--only", "index-state", "--only", "btree", "-t", "public.movies"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_consent_nothing_is_changed_and_with_it_everything_is_healed()
    {
        using var terminal = new Terminal();
        await using var database = await Injured(new BTreeEntryMissing(), new FailedConcurrentBuild());
        var before = await database.Fingerprint(Stop);

        var asked = await terminal.On(database, ["heal", .. Narrow]);
        Assert.True(asked.Code == ExitCodes.Damage, asked.All);
        Assert.Contains("Nothing was changed: there is no terminal to ask on", asked.Out, StringComparison.Ordinal);
        terminal.Typed = "n\nn\n";
        Assert.Equal(ExitCodes.Damage, (await terminal.On(database, ["heal", .. Narrow])).Code);
        terminal.Typed = null;
        Assert.Equal(1, await database.Scalar<long>(Invalid, Stop));
        Assert.False(await database.Scalar<bool>("SELECT EXISTS (SELECT FROM movies WHERE id = 777)", Stop));

        var healed = await terminal.On(database, ["heal", "--yes", "--format", "json", .. Narrow]);
        var index = Cases(healed).Single(item => item.GetProperty("fault").GetString() == "index-corrupt");
        Assert.Equal(
            ["healed", "reindex", "lossless", "public", "movies", "movies_pkey"],
            new[] { "outcome", "repair", "grade", "schema", "relation", "object" }.Select(name => index.GetProperty(name).GetString()));
        Assert.NotEmpty(index.GetProperty("steps").EnumerateArray());
        Assert.True(await database.Scalar<bool>("SELECT EXISTS (SELECT FROM movies WHERE id = 777)", Stop));
        Assert.True(before.CompareWith(await database.Fingerprint(Stop)).IsEmpty);
        await MustBeVerifiable(terminal, index.GetProperty("snapshot").GetString()!);
    }

    private static async Task MustBeVerifiable(Terminal terminal, string snapshot)
    {
        Assert.Contains(snapshot, (await terminal.Run("snapshots")).Out, StringComparison.Ordinal);
        Assert.Contains("sha256", (await terminal.Run("snapshots", "show", snapshot)).Out, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Sound, (await terminal.Run("snapshots", "verify", snapshot)).Code);
        var file = Directory.EnumerateFiles(Path.Combine(terminal.State, "snapshots"), "*", SearchOption.AllDirectories)
            .OrderByDescending(name => new FileInfo(name).Length).First();
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await File.AppendAllTextAsync(file, "x", Stop);
        Assert.Equal(ExitCodes.Damage, (await terminal.Run("snapshots", "verify", snapshot)).Code);
    }

    [Fact]
    public async Task A_plan_file_is_done_as_it_was_read_and_not_otherwise()
    {
        using var terminal = new Terminal();
        await using var database = await Injured(new BTreeEntryMissing());
        var file = terminal.PathOf("plan.json");
        var planned = await terminal.On(database, ["plan", "--out", file, .. Narrow]);
        Assert.True(planned.Code == ExitCodes.Damage, planned.All);
        Assert.Contains("REINDEX", planned.Out, StringComparison.Ordinal);
        Assert.Contains($"kintsugi heal --plan {file}", planned.Out, StringComparison.Ordinal);

        var text = await File.ReadAllTextAsync(file, Stop);
        var altered = terminal.NewFile("altered.json", text.Replace("REINDEX", "DROP INDEX", StringComparison.Ordinal));
        (await terminal.On(database, ["heal", "--yes", "--plan", altered, .. Narrow])).MustRefuse("altered", "SHA-256", "plan --out");
        Assert.False(await database.Scalar<bool>("SELECT EXISTS (SELECT FROM movies WHERE id = 777)", Stop));
        (await terminal.On(database, "heal", "--plan", terminal.NewFile("no.json", "{}"))).MustRefuse("cannot be used");

        var healed = await terminal.On(database, ["heal", "--yes", "--plan", file, .. Narrow]);
        Assert.True(healed.Code == ExitCodes.Sound, healed.All);
        Assert.True(await database.Scalar<bool>("SELECT EXISTS (SELECT FROM movies WHERE id = 777)", Stop));
    }

    [Fact]
    public async Task A_plan_whose_evidence_is_gone_does_nothing()
    {
        using var terminal = new Terminal();
        await using var database = await Injured(new BTreeEntryMissing());
        var file = terminal.PathOf("plan.json");
        await terminal.On(database, ["plan", "--out", file, .. Narrow]);
        await database.Execute("REINDEX INDEX movies_pkey", Stop);
        var node = await database.Scalar<object>("SELECT pg_relation_filenode('movies_pkey')", Stop);

        var said = await terminal.On(database, ["heal", "--yes", "--plan", file, .. Narrow]);

        Assert.True(said.Code == ExitCodes.Sound, said.All);
        Assert.Contains("There was nothing to heal", said.Out, StringComparison.Ordinal);
        Assert.Equal(node, await database.Scalar<object>("SELECT pg_relation_filenode('movies_pkey')", Stop));
    }

    [Fact]
    public async Task What_a_person_accepts_is_out_of_the_exit_code_and_out_of_repair()
    {
        using var terminal = new Terminal();
        await using var database = await Injured(new FailedConcurrentBuild());
        await terminal.On(database, ["heal", .. Narrow]);
        var id = Cases(await terminal.Run("cases", "--format", "json")).Single().GetProperty("id").GetString()!;
        Assert.Contains("movies_minutes_key", (await terminal.Run("cases", "show", id[..6])).Out, StringComparison.Ordinal);

        Assert.Equal(ExitCodes.Sound, (await terminal.Run("cases", "accept", id, "--because", "dropped on Monday")).Code);
        var check = await terminal.On(database, ["check", .. Narrow]);
        Assert.True(check.Code == ExitCodes.Sound, check.All);
        Assert.Contains("dropped on Monday", check.Out, StringComparison.Ordinal);
        var json = await terminal.On(database, ["check", "--format", "json", .. Narrow]);
        Assert.Contains("dropped on Monday", json.Json.GetProperty("findings")[0].GetProperty("accepted").GetString(), StringComparison.Ordinal);
        Assert.Equal(0, (await terminal.On(database, ["check", "--format", "nagios", .. Narrow])).Code);
        var heal = await terminal.On(database, ["heal", "--yes", "--allow", "reversible", .. Narrow]);
        Assert.True(heal.Code == ExitCodes.Sound, heal.All);
        Assert.Equal(1, await database.Scalar<long>(Invalid, Stop));

        await terminal.Run("cases", "accept", id, "--because", "over", "--until", "2001-01-01");
        Assert.Equal(ExitCodes.Damage, (await terminal.On(database, ["check", .. Narrow])).Code);
    }

    [Fact]
    public async Task A_rejected_case_is_left_alone_until_it_is_retried()
    {
        using var terminal = new Terminal();
        await using var database = await Injured(new BTreeEntryMissing());
        await terminal.On(database, ["heal", .. Narrow]);
        var id = Cases(await terminal.Run("cases", "--format", "json")).Single().GetProperty("id").GetString()!;

        await terminal.Run("cases", "reject", id, "--because", "not during the release");
        Assert.Equal(ExitCodes.Damage, (await terminal.On(database, ["heal", "--yes", .. Narrow])).Code);
        Assert.False(await database.Scalar<bool>("SELECT EXISTS (SELECT FROM movies WHERE id = 777)", Stop));

        await terminal.Run("cases", "retry", id);
        await terminal.Run("cases", "approve", id, "--as", "the owner");
        Assert.Contains("the owner", (await terminal.Run("cases", "show", id)).Out, StringComparison.Ordinal);
        var healed = await terminal.On(database, ["heal", "--yes", "--case", id, .. Narrow]);
        Assert.True(healed.Code == ExitCodes.Sound, healed.All);
    }

    [Fact]
    public async Task A_case_that_was_left_to_a_person_is_closed_once_its_damage_was_mended_or_dropped()
    {
        using var terminal = new Terminal();
        await using var database = await Injured(new CheckViolated());
        await database.Execute("""
            CREATE TABLE passing (id integer PRIMARY KEY, n integer);
            INSERT INTO passing VALUES (1, -1);
            ALTER TABLE passing ADD CONSTRAINT passing_n CHECK (n > 0) NOT VALID;
            UPDATE pg_constraint SET convalidated = true WHERE conname = 'passing_n'
            """, Stop);
        string[] heal = ["heal", "--yes", "--only", "check-constraint", "--format", "json"];
        Assert.Equal(ExitCodes.Damage, (await terminal.On(database, heal)).Code);
        Assert.Equal(["escalated", "escalated"], await States(terminal));
        await database.Execute("UPDATE users SET email = 'nobody' || id || '@example.org' WHERE email !~ '@'", Stop);
        await database.Execute("DROP TABLE passing", Stop);

        // A look at other things proves nothing of these.
        Assert.Equal(ExitCodes.Sound, (await terminal.On(database, "heal", "--yes", "--only", "index-state", "--case", "000000000000")).Code);
        Assert.Equal(["escalated", "escalated"], await States(terminal));
        var closed = await terminal.On(database, heal);

        Assert.True(closed.Code == ExitCodes.Sound, closed.All);
        Assert.All(Cases(closed), one => Assert.Contains("mended or dropped since", one.GetProperty("reason").GetString(), StringComparison.Ordinal));
        Assert.Equal(["transient", "transient"], await States(terminal));
    }

    private static async Task<IReadOnlyList<string?>> States(Terminal terminal) =>
        [.. (await terminal.Run("cases", "--format", "json")).Json.GetProperty("cases").EnumerateArray().Select(row => row.GetProperty("state").GetString())];

    private async Task<TestDatabase> Injured(params Injury[] injuries)
    {
        var database = await servers.Database(TestMajors.Newest, Stop);
        await Injury.Inflict(database.Cluster, database.Name, injuries, Stop);
        return database;
    }

    private static List<JsonElement> Cases(Said said) => [.. said.Json.GetProperty("cases").EnumerateArray()];
}
