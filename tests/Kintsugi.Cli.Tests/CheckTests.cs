using System.Text.Json;
using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests;

public sealed class CheckTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Json_has_every_field_of_the_contract()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        await Injury.Inflict(database.Cluster, database.Name, [new BTreeEntryMissing()], Stop);

        var said = await terminal.On(database, "check", "--only", "btree", "-t", "public.movies", "--format", "json");

        Assert.True(said.Code == ExitCodes.Damage, said.All);
        var json = said.Json;
        Assert.Equal(["format", "server", "started", "finished", "verdicts", "examined", "findings"], Names(json));
        Assert.Equal("kintsugi.check/1", json.GetProperty("format").GetString());
        Assert.Equal(["name", "version", "system_identifier", "data_checksums", "data_directory"], Names(json.GetProperty("server")));
        Assert.True(json.GetProperty("finished").GetDateTimeOffset() >= json.GetProperty("started").GetDateTimeOffset());
        Assert.Equal(["sound", "damaged", "unchecked", "not_applicable"], Names(json.GetProperty("verdicts")));
        Assert.Equal(1, json.GetProperty("verdicts").GetProperty("damaged").GetInt32());
        var examined = json.GetProperty("examined").EnumerateArray().Single(item => item.GetProperty("verdict").GetString() == "damaged");
        Assert.Equal(["check", "database", "target", "verdict", "reason", "duration_ms"], Names(examined));
        Assert.Equal("public.movies_pkey", examined.GetProperty("target").GetString());
        Assert.Equal(database.Name, examined.GetProperty("database").GetString());
        MustBeTheLostEntry(Assert.Single(json.GetProperty("findings").EnumerateArray()), database.Name);
    }

    private static void MustBeTheLostEntry(JsonElement finding, string database)
    {
        string[] promised =
        [
            "id", "fault", "check", "severity", "database", "schema", "relation", "object", "kind", "fork", "block", "offset", "column",
            "key", "rows", "samples", "evidence", "sqlstate", "hint", "repair", "grade",
        ];
        Assert.Empty(promised.Except(Names(finding)));
        var told = new[] { "fault", "check", "severity", "database", "schema", "relation", "object", "kind", "sqlstate", "repair", "grade" }
            .Select(name => finding.GetProperty(name).GetString());
        Assert.Equal(
            ["index-corrupt", "btree", "critical", database, "public", "movies", "movies_pkey", "index", "XX001", "reindex", "lossless"], told);
        Assert.Matches("^[0-9a-f]{16}$", finding.GetProperty("id").GetString());
        Assert.Contains("lacks matching index tuple", finding.GetProperty("evidence").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sound_database_is_sound_whichever_way_it_is_named()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        var door = Terminal.Door(database);
        var uri = $"postgresql://postgres@localhost:{door[3]}/{database.Name}";
        string[][] ways =
        [
            ["check", .. door, database.Name, "--only", "index-state"],
            ["check", "--only", "index-state", $"host={door[1]} port={door[3]} user=postgres dbname={database.Name}"],
            ["check", "-d", uri, "--only", "index-state"],
            ["check", .. door, "-a", "--exclude-database", "test_*", "--only", "index-state"],
        ];
        foreach (var way in ways)
        {
            var said = await terminal.Run(way);
            Assert.True(said.Code == ExitCodes.Sound, $"{string.Join(' ', way)}\n{said.All}");
            Assert.Contains("Sound", said.Out, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Everything_of_the_sample_database_is_sound_at_depth_standard()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(TestMajors.Newest, Stop);

        var said = await terminal.On(database, "check", "--verbose");

        Assert.True(said.Code == ExitCodes.Sound, said.All);
        Assert.Contains("public.movies_pkey", said.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("\u001b", said.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Quiet_leaves_only_findings_and_the_sum()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        await Injury.Inflict(database.Cluster, database.Name, [new FailedConcurrentBuild()], Stop);

        var said = await terminal.On(database, "check", "--only", "index-state", "--quiet");

        Assert.Equal(ExitCodes.Damage, said.Code);
        Assert.Empty(said.Error);
        Assert.DoesNotContain("PostgreSQL", said.Out, StringComparison.Ordinal);
        Assert.Contains("movies_minutes_key", said.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nagios_is_answered_in_one_line_and_its_own_codes()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(TestMajors.Newest, Stop);

        var sound = await terminal.On(database, "check", "--only", "index-state", "--format", "nagios");
        Assert.Equal((0, 1), (sound.Code, sound.Out.TrimEnd().Split('\n').Length));
        Assert.StartsWith("KINTSUGI OK - 0 findings | sound=", sound.Out, StringComparison.Ordinal);

        await Injury.Inflict(database.Cluster, database.Name, [new FailedConcurrentBuild()], Stop);
        var warning = await terminal.On(database, "check", "--only", "index-state", "--format", "nagios");
        Assert.Equal(1, warning.Code);
        Assert.StartsWith("KINTSUGI WARNING - 1 finding: public.movies_minutes_key: index-invalid | ", warning.Out, StringComparison.Ordinal);

        await Injury.Inflict(database.Cluster, database.Name, [new BTreeEntryMissing()], Stop);
        var critical = await terminal.On(database, "check", "--only", "btree", "-t", "movies", "--format", "nagios");
        Assert.Equal(2, critical.Code);

        string[][] hopeless =
        [
            ["check", "-h", "/nowhere", "--format", "nagios"], ["check", "--jobs", "0", "--format", "nagios"],
            ["check", "--nonsense", "--format=nagios"],
        ];
        foreach (var way in hopeless)
        {
            var unknown = await terminal.Run(way);
            Assert.Equal(3, unknown.Code);
            Assert.StartsWith("KINTSUGI UNKNOWN - ", unknown.Out, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_could_not_be_examined_is_exit_3_and_damage_beats_it()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(TestMajors.Newest, Stop);

        // A superuser would borrow the functions of an extension that is not installed; anybody else has to go without.
        await database.Execute($"DROP EXTENSION IF EXISTS amcheck; CREATE ROLE blind_{database.Name} LOGIN", Stop);
        var blind = await terminal.As($"blind_{database.Name}", database, "check", "--only", "btree");
        Assert.True(blind.Code == ExitCodes.Unchecked, blind.All);
        Assert.Contains("CREATE EXTENSION amcheck", blind.Out, StringComparison.Ordinal);
        Assert.Contains("kintsugi doctor", blind.Out, StringComparison.Ordinal);

        await Injury.Inflict(database.Cluster, database.Name, [new FailedConcurrentBuild()], Stop);
        var both = await terminal.As($"blind_{database.Name}", database, "check", "--only", "btree", "--only", "index-state");
        Assert.Equal(ExitCodes.Damage, both.Code);

        var late = await terminal.On(database, "check", "--only", "heap", "--time-limit", "1ms");
        Assert.True(late.Code == ExitCodes.Unchecked, late.All);
    }

    [Theory]
    [InlineData("public.genres", "-t", "genres")]
    [InlineData("public.genres_pkey", "-i", "public.genres_pk*")]
    [InlineData("public.genres", "-t", "public.*", "-T", "[^g]*", "-T", "gr*")]
    [InlineData("public.movies_pkey", "-n", "pub*", "-I", "*_key")]
    [InlineData("public.movies_pkey", "-s", "public", "-S", "pg_*")]
    public async Task Patterns_choose_as_psql_does(string expected, params string[] patterns)
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(TestMajors.Newest, Stop);

        var said = await terminal.On(database, ["check", "--only", "btree", "--only", "index-state", "--only", "heap", "--format", "json", .. patterns]);

        Assert.True(said.Code == ExitCodes.Sound, said.All);
        var targets = said.Json.GetProperty("examined").EnumerateArray().Select(item => item.GetProperty("target").GetString()!).ToList();
        Assert.Contains(expected, targets);
        Assert.DoesNotContain(targets, target => target.StartsWith("pg_catalog.", StringComparison.Ordinal));
        if (patterns.Contains("-T"))
            Assert.DoesNotContain(targets, target => target.StartsWith("public.movies", StringComparison.Ordinal));
        if (patterns.Contains("-I"))
            Assert.DoesNotContain(targets, target => target.EndsWith("_key", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_table_brings_the_sequences_that_its_columns_own()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        await database.Execute("CREATE TABLE numbered (id int PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY); CREATE SEQUENCE nobodys; "
            + "INSERT INTO numbered VALUES (1), (2)", Stop);

        var said = await terminal.On(database, "check", "-t", "numbered", "--format", "json");

        Assert.True(said.Code == ExitCodes.Damage, said.All);
        var finding = Assert.Single(said.Json.GetProperty("findings").EnumerateArray());
        Assert.Equal(("sequence-behind", "numbered", "numbered_id_seq"), (finding.GetProperty("fault").GetString(),
            finding.GetProperty("relation").GetString(), finding.GetProperty("object").GetString()));
        var alone = await terminal.On(database, "check", "-t", "numbered_id_seq", "--format", "json", "--only", "sequence");
        Assert.Equal(ExitCodes.Damage, alone.Code);
        Assert.DoesNotContain("nobodys", said.Out, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Names(JsonElement json) => json.EnumerateObject().Select(property => property.Name);
}
