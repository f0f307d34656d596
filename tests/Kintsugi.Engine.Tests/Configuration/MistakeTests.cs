namespace Kintsugi.Engine.Tests.Configuration;

/// <summary>What is refused, where, and what the reader is told.</summary>
public sealed class MistakeTests
{
    [Fact]
    public void All_mistakes_come_at_once_each_at_its_line_and_column()
    {
        var mistakes = new Reading().Mistakes("""
            database:
              auto_healing:
                health_check_intervall: 10m
                enabled: "true"
                index_check_interval: 1y
            mode: heel
            budget: { share_per_case: 120%, rows_per_case: -1 }
            policy: { index-corupt: auto }
            """);

        Assert.Equal(
        [
            "config.yaml:3:5: database.auto_healing.health_check_intervall: unknown key; did you mean health_check_interval?",
            "config.yaml:4:14: database.auto_healing.enabled: expected true or false, found text in quotes; write it without them",
            "config.yaml:5:27: database.auto_healing.index_check_interval: \"y\" is not a unit of time; "
                + "write a duration such as 30s, 10m, 1h30m, 1d or 1w",
            "config.yaml:6:7: mode: \"heel\" is not one of observe, heal; did you mean heal?",
            "config.yaml:7:27: budget.share_per_case: \"120%\" is not more than 0% and at most 100%; write a share such as 1% or 0.5%",
            "config.yaml:7:48: budget.rows_per_case: \"-1\" is not a whole number from 0 up",
            "config.yaml:8:11: policy.index-corupt: unknown key; did you mean index-corrupt?",
        ], mistakes);
    }

    [Theory]
    [InlineData("mode:", "config.yaml:1:6: mode: expected one of observe, heal, found no value")]
    [InlineData("mode: [heal]", "config.yaml:1:7: mode: expected one of observe, heal, found a list")]
    [InlineData("policy: auto", "config.yaml:1:9: policy: expected a mapping of keys to values, found a single value")]
    [InlineData("windows: { from: x }", "config.yaml:1:10: windows: expected a list, found a mapping")]
    [InlineData("heal", "config.yaml:1:1: expected a mapping of keys to values, found a single value")]
    [InlineData("mode: heal\nmode: observe", "config.yaml:2:1: mode: this key was already given at config.yaml:1:1")]
    [InlineData("mode: heal\n---\nmode: heal", "config.yaml:2:1: a second document begins here")]
    [InlineData("mode: {", "this is not YAML")]
    [InlineData("mode: *gone", "the anchor *gone is not defined")]
    [InlineData("targets: []", "the list is empty")]
    [InlineData("targets: [{ name: a }]", "targets[0]: connection is missing")]
    [InlineData("database: { connection: host=a }\ntargets: [{ name: a, connection: host=b }]", "named twice")]
    [InlineData("targets: [{ name: a, connection: host=b }, { name: a, connection: host=c }]",
        "config.yaml:1:44: targets[1]: the target a was already given at config.yaml:1:11")]
    [InlineData("windows: [ { from: \"25:00\", to: \"05:00\" } ]", "is not a time of day")]
    [InlineData("windows: [ { from: \"02:00\", to: \"05:00\", zone: Mars/Olympus } ]", "is not a time zone")]
    [InlineData("windows: [ { days: [], from: \"02:00\", to: \"05:00\" } ]", "never open")]
    [InlineData("snapshots: { provider: command }", "go together")]
    [InlineData("snapshots: { keep: { size: 5 } }", "has no unit")]
    [InlineData("ledger: { sqlite: a, postgres: host=b }", "there is one ledger")]
    [InlineData("http: { listen: 0.0.0.0:9432 }", "needs api_keys")]
    [InlineData("http: { listen: \"9432\" }", "has no port")]
    [InlineData("http: { api_keys: [ { name: a, sha256: abc } ] }", "sha256sum")]
    [InlineData("alerts: { receivers: [ { name: a } ] }", "exactly one of")]
    [InlineData("alerts: { receivers: [ { name: a, slack: https://x.test, log: true } ] }", "exactly one of")]
    [InlineData("alerts: { receivers: [ { name: a, slack: nonsense } ] }", "not a URL")]
    [InlineData("policy: { exceptions: [ { policy: never } ] }", "needs a fault")]
    [InlineData("database: { password: { file: /none } }", "the file /none is not there")]
    [InlineData("database: { password: { env: NONE } }", "the environment variable NONE is not set")]
    [InlineData("database: { password: {} }", "either file or env")]
    [InlineData("database: { connection: \"host=${env:NONE}\" }", "the environment variable NONE is not set")]
    [InlineData("database: { connection: \"host=${NONE}\" }", "${env:NAME}")]
    public void A_mistake_names_its_place_and_the_way_out(string text, string expected) =>
        Assert.Contains(expected, new Reading().Mistake(text), StringComparison.Ordinal);

    [Theory]
    [InlineData("enums: [ { column: movies.rating, values: [a] } ]", "not of the form schema.table.name")]
    [InlineData("enums: [ { column: public.movies.rating } ]", "either type")]
    [InlineData("enums: [ { column: public.movies.rating, values: [a], type: public.b } ]", "either type")]
    [InlineData("enums: [ { column: public.movies.rating, values: [a, a] } ]", "the value a was already given")]
    [InlineData("enums: [ { column: public.movies.rating, values: [a], flag: f } ]", "a flag is set on a row whose value was changed")]
    [InlineData("enums: [ { column: public.movies.rating, values: [a], repair: delete } ]", "not one of report, nullify, quarantine")]
    [InlineData("enums: [ { column: a.b.c, values: [x] }, { column: A.B.\"c\", values: [y] } ]", "the rule a.b.c was already given")]
    [InlineData("json: [ { column: a.b.c } ]", "either schema or schema_file")]
    [InlineData("json: [ { column: a.b.c, schema_file: gone.json } ]", "the file /etc/kintsugi/gone.json is not there")]
    [InlineData("json: [ { column: a.b.c, schema: { minimum: .inf } } ]", "JSON has no number .inf")]
    [InlineData("json: [ { column: a.b.c, schema: true, nulls: forbidden, repair: nullify } ]", "nulls: forbidden")]
    [InlineData("foreign_keys: [ { name: f, table: a.b, columns: [x], references: { table: c.d, columns: [y, z] } } ]", "as many on both sides")]
    [InlineData("foreign_keys: [ { name: f, table: a.b, columns: [], references: { table: c.d, columns: [] } } ]", "at least one")]
    [InlineData("rules: [ { name: r, table: a.b, query: \"\" } ]", "found an empty one")]
    [InlineData("rules: [ { name: r, table: a.b, query: select 1, severity: error } ]", "critical, warning, info")]
    [InlineData("rules: [ { name: r, table: a.b, query: select 1 }, { name: r, table: a.b, query: select 2 } ]", "the rule r was already given")]
    [InlineData("constraints: [ { constraint: a.b.c }, { constraint: a.b.c } ]", "the constraint a.b.c was already given")]
    [InlineData("unique: [ { index: a.b, keep: best } ]", "newest, oldest, most_referenced")]
    [InlineData("{ enums: [ { name: same, column: a.b.c, values: [x] } ], json: [ { name: same, column: a.b.d, schema: {} } ] }",
        "the rule same has the name of one under enums")]
    public void A_mistake_in_the_owners_rules_is_told_before_anything_runs(string rules, string expected) =>
        Assert.Contains(expected, new Reading().Mistake($"consistency:\n  {rules}"), StringComparison.Ordinal);

    [Fact]
    public void No_message_repeats_a_secret()
    {
        var mistakes = new Reading().File("/empty", " \n").Mistakes("""
            database: { connection: "password=hunter2 ${oops", password: { file: /empty } }
            alerts: { receivers: [ { name: a, webhook: hunter2 } ] }
            http: { api_keys: [ { name: a, sha256: hunter2 } ] }
            """);

        Assert.Equal(4, mistakes.Count);
        Assert.DoesNotContain("hunter2", string.Concat(mistakes), StringComparison.Ordinal);
    }

    [Fact]
    public void Depth_and_growth_are_bounded()
    {
        var deep = string.Concat(Enumerable.Repeat("[", 200)) + string.Concat(Enumerable.Repeat("]", 200));
        Assert.Contains("nested deeper", new Reading().Mistake($"mode: {deep}"), StringComparison.Ordinal);

        var laughs = "&a0 [x, x, x, x, x, x, x, x, x, x]";
        for (var i = 1; i < 9; i++)
        {
            laughs = $"{laughs}, &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]";
        }

        Assert.Contains("more than 1024 kB", new Reading().Mistake(
            $"consistency: {{ json: [ {{ column: a.b.c, schema: [{laughs}] }} ] }}"), StringComparison.Ordinal);
    }
}
