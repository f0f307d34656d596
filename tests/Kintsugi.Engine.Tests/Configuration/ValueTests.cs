using CsCheck;
using Kintsugi.Configuration;
using Kintsugi.Configuration.Shapes;
using Kintsugi.Rules;

namespace Kintsugi.Engine.Tests.Configuration;

/// <summary>Single values: durations, sizes, names, references, overrides, JSON.</summary>
public sealed class ValueTests
{
    [Theory]
    [InlineData("500ms", 0.5)]
    [InlineData("10s", 10)]
    [InlineData("1h30m", 5400)]
    [InlineData("1w2d3h4m5s6ms", 788645.006)]
    [InlineData("90m", 5400)]
    public void A_duration_adds_its_parts(string text, double seconds)
    {
        Assert.Null(Quantity.Duration(text, out var value));
        Assert.Equal(TimeSpan.FromSeconds(seconds), value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("m")]
    [InlineData("0s")]
    [InlineData("10 m")]
    [InlineData("-1s")]
    [InlineData("1.5h")]
    [InlineData("1M")]
    [InlineData("521w5d")]
    [InlineData("99999999999999999999w")]
    [InlineData("9223372036854775807w")]
    public void An_impossible_duration_is_refused_with_an_example(string text) =>
        Assert.Contains("10m", Quantity.Duration(text, out _), StringComparison.Ordinal);

    [Fact]
    public void Any_duration_written_in_units_reads_back() =>
        Gen.Long[1, (long)Quantity.Longest.TotalMilliseconds].Sample(milliseconds =>
        {
            var span = TimeSpan.FromMilliseconds(milliseconds);
            var text = $"{span.Days}d{span.Hours}h{span.Minutes}m{span.Seconds}s{span.Milliseconds}ms";
            return Quantity.Duration(text, out var read) is null && read == span;
        });

    [Theory]
    [InlineData("8kB", 8192)]
    [InlineData("1 GB", 1L << 30)]
    [InlineData("200GB", 200L << 30)]
    public void A_size_counts_in_powers_of_1024(string text, long bytes)
    {
        Assert.Null(Quantity.Size(text, out var value));
        Assert.Equal(bytes, value);
    }

    [Theory]
    [InlineData("public.movies", "public", "movies")]
    [InlineData("Public.Movies", "public", "movies")]
    [InlineData("public.\"Movies\"", "public", "Movies")]
    [InlineData("\"a.b\".\"we;ird\"\"name\"", "a.b", "we;ird\"name")]
    [InlineData("größe.ÄB", "größe", "Äb")]
    [InlineData("s.\"😀 x\"", "s", "😀 x")]
    public void Names_follow_the_rules_of_sql(string text, string schema, string name)
    {
        Assert.Equal([schema, name], SqlName.Split(text));
        Assert.Equal([schema, name], SqlName.Split(new ObjectName(schema, name).ToString()));
    }

    [Theory]
    [InlineData("a..b")]
    [InlineData(".a")]
    [InlineData("a.")]
    [InlineData("a b.c")]
    [InlineData("\"a.b")]
    [InlineData("\"\".a")]
    [InlineData("1a.b")]
    [InlineData("a.b; drop table c")]
    public void What_is_no_name_is_refused(string text) => Assert.Null(SqlName.Split(text));

    [Fact]
    public void Any_name_written_reads_back() =>
        Gen.String[Gen.Char['\u0001', '\uD7FF'], 1, 20].Array[1, 3].Sample(parts =>
            SqlName.Split(string.Join('.', parts.Select(SqlName.Write))) is { } read && read.SequenceEqual(parts));

    [Theory]
    [InlineData("{ const: 5 }", """{"const":5}""")]
    [InlineData("{ const: \"5\" }", """{"const":"5"}""")]
    [InlineData("{ const: 5.50 }", """{"const":5.50}""")]
    [InlineData("{ const: 123456789012345678901234567890 }", """{"const":123456789012345678901234567890}""")]
    [InlineData("{ const: +7, default: 007 }", """{"const":7,"default":7}""")]
    [InlineData("{ const: 0x1F, default: 0o17 }", """{"const":31,"default":15}""")]
    [InlineData("{ const: .5, default: 1. }", """{"const":0.5,"default":1}""")]
    [InlineData("{ enum: [true, 'true', null, ~, yes, on] }", """{"enum":[true,"true",null,null,"yes","on"]}""")]
    [InlineData("{ pattern: '^a$', 1: 2024-01-01 }", """{"pattern":"^a$","1":"2024-01-01"}""")]
    [InlineData("false", "false")]
    public void A_schema_keeps_the_types_of_its_values(string yaml, string json) =>
        Assert.Equal(json, Assert.Single(new Reading().Valid(
            $"consistency: {{ json: [ {{ column: a.b.c, schema: {yaml} }} ] }}").Targets[0].Consistency.Json).Schema);

    [Fact]
    public void A_schema_file_lies_beside_the_configuration() =>
        Assert.Equal("{\"type\":\"object\"}", Assert.Single(new Reading()
            .File("/etc/kintsugi/schemas/movie.json", "{\"type\":\"object\"}")
            .Valid("consistency: { json: [ { column: a.b.c, schema_file: schemas/movie.json } ] }").Targets[0].Consistency.Json).Schema);

    [Fact]
    public void A_flag_may_be_a_quoted_reference() =>
        Assert.False(new Reading().Variable("ON", "false")
            .Valid("database: { auto_healing: { enabled: \"${env:ON}\" } }").AutoHealing.Enabled);

    [Fact]
    public void References_to_the_environment_are_filled_in()
    {
        var configuration = new Reading().Variable("PW", "p}w").Variable("T", "2h")
            .Valid("database: { connection: \"host=h password='${env:PW}' x=$${y}\", auto_healing: { health_check_interval: \"${env:T}\" } }");

        Assert.Equal("host=h password='p}w' x=${y}", configuration.Targets[0].Connection!.Reveal());
        Assert.Equal(TimeSpan.FromHours(2), configuration.AutoHealing.HealthCheckInterval);
    }

    [Fact]
    public void The_environment_wins_over_the_file()
    {
        var configuration = new Reading()
            .Variable("KINTSUGI__DATABASE__AUTO_HEALING__HEALTH_CHECK_INTERVAL", "30s")
            .Variable("KINTSUGI__MODE", "observe")
            .Variable("KINTSUGI__POLICY__INDEX_CORRUPT", "never")
            .Variable("KINTSUGI__DATABASE__DATABASES", "[app, 'x*']")
            .Variable("KINTSUGI__DATABASE__PASSWORD", "{ env: PW }").Variable("PW", "secret")
            .Variable("KINTSUGI__HTTP__API_KEYS__0__ROLE", "admin")
            .Variable("KINTSUGI_STATE", "/not/ours")
            .Valid("""
                database: { auto_healing: { health_check_interval: 10m } }
                policy: { index-corrupt: auto, row-orphaned: approve }
                http: { api_keys: [ { name: ann, sha256: abababababababababababababababababababababababababababababababab } ] }
                """);

        Assert.Equal(TimeSpan.FromSeconds(30), configuration.AutoHealing.HealthCheckInterval);
        Assert.Equal(Mode.Observe, configuration.Targets[0].Mode);
        Assert.Equal(PolicyChoice.Never, configuration.Targets[0].Policy.ByFault["index-corrupt"]);
        Assert.Equal(PolicyChoice.Approve, configuration.Targets[0].Policy.ByFault["row-orphaned"]);
        Assert.Equal(["app", "x*"], configuration.Targets[0].Databases);
        Assert.Equal("secret", configuration.Targets[0].Password!.Reveal());
        Assert.Equal(ApiRole.Admin, configuration.Http.ApiKeys[0].Role);
    }

    [Theory]
    [InlineData("KINTSUGI__DATABASE__AUTO_HEALING__HEALTH_CHECK_INTERVALL", "30s", "did you mean HEALTH_CHECK_INTERVAL?")]
    [InlineData("KINTSUGI__MODE", "heel", "did you mean heal?")]
    [InlineData("KINTSUGI__MODE__X", "heal", "nothing can be set below MODE")]
    [InlineData("KINTSUGI__HTTP__API_KEYS__1__NAME", "x", "the next is 0")]
    [InlineData("KINTSUGI__", "x", "is not a key")]
    public void A_wrong_variable_is_a_mistake_of_that_variable(string name, string value, string expected)
    {
        var mistake = new Reading().Variable(name, value).Mistake("");

        Assert.StartsWith(name, mistake, StringComparison.Ordinal);
        Assert.Contains(expected, mistake, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_of_a_host_application_read_the_same()
    {
        var configuration = new Reading().Settings(
            ("Database:AutoHealing:HealthCheckInterval", "30s"), ("database:auto_healing:enabled", "False"),
            ("Targets:0:Name", "a"), ("Targets:0:Connection", "host=h"), ("Targets:0:Databases:0", "app"));

        Assert.Equal(TimeSpan.FromSeconds(30), configuration.AutoHealing.HealthCheckInterval);
        Assert.False(configuration.AutoHealing.Enabled);
        Assert.Equal(["app"], Assert.Single(configuration.Targets).Databases);
    }

    [Fact]
    public void The_first_exception_that_fits_wins_over_the_policy()
    {
        var configuration = new Reading().Valid("""
            database: { auto_healing: { enabled: false } }
            policy:
              index-corrupt: auto
              exceptions:
                - { fault: index-corrupt, table: "public.audit_*", policy: approve }
                - { database: "legacy?", policy: never }
            """);
        var policy = configuration.Targets[0].Policy;

        Assert.Equal(PolicyChoice.Approve, policy.ChoiceFor("index-corrupt", "legacy1", "public", "audit_log"));
        Assert.Equal(PolicyChoice.Never, policy.ChoiceFor("index-corrupt", "legacy1", "public", "movies"));
        Assert.Equal(PolicyChoice.Auto, policy.ChoiceFor("index-corrupt", "legacy12", "public", "movies"));
        Assert.Null(policy.ChoiceFor("row-orphaned", "app", "public", "movies"));
        Assert.False(configuration.PolicyFor(configuration.Targets[0], "app", "public", "movies").Heal);
    }

    [Theory]
    [InlineData("", "index-corrupt", Grade.Lossless)]
    [InlineData("", "row-orphaned", Grade.Lossless)]
    [InlineData("policy: { row-orphaned: auto }", "row-orphaned", Grade.Reversible)]
    [InlineData("policy: { row-orphaned: auto }", "null-forbidden", Grade.Lossless)]
    [InlineData("database: { auto_healing: { enabled: true, orphan_cleanup_interval: 1d } }", "row-orphaned", Grade.Reversible)]
    [InlineData("database: { auto_healing: { enabled: true, orphan_cleanup_interval: 1d } }\npolicy: { row-orphaned: approve }",
        "row-orphaned", Grade.Lossless)]
    [InlineData("database: { auto_healing: { enabled: true, orphan_cleanup_interval: 1d } }", "json-invalid", Grade.Lossless)]
    public void The_service_changes_rows_only_where_the_owner_said_so(string text, string fault, Grade expected)
    {
        var configuration = new Reading().Valid(text);
        var policy = configuration.ServicePolicyFor(configuration.Targets[0], Faults.Find(fault)!, "app", "public", "movies");

        Assert.Equal((expected, true), (policy.Allow, policy.Consent));
    }

    [Fact]
    public void A_default_interval_is_no_consent_to_clean_up()
    {
        Assert.False(new Reading().Valid("").AutoHealing.OrphanCleanupConsented);
        Assert.False(new Reading().Valid("database: { auto_healing: { enabled: false, orphan_cleanup_interval: 1d } }")
            .AutoHealing.OrphanCleanupConsented);
    }

    [Theory]
    [InlineData("\"*:1\"", "api", null, 1)]
    [InlineData("\"[::1]:9432\"", "none", "::1", 9432)]
    [InlineData("localhost:80", "none", "127.0.0.1", 80)]
    public void The_address_to_listen_on_is_read(string listen, string keys, string? address, int port)
    {
        var list = keys == "none" ? "[]" : $"[ {{ name: a, sha256: {new string('a', 64)} }} ]";
        var http = new Reading().Valid($"http: {{ listen: {listen}, api_keys: {list} }}").Http;

        Assert.Equal((address, port), (http.Listen.Address?.ToString(), http.Listen.Port));
    }
}
