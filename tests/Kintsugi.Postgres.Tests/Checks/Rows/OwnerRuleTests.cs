using Kintsugi.Postgres.Checks.Owner;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Tests.Checks.Rows;

public sealed class OwnerRuleTests(Servers servers)
{
    private static readonly RowRepair Report = new RowRepair.Report();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static ObjectName Name(string name) => new("public", name);

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task An_undeclared_reference_is_held_to_its_condition_and_to_the_equality_of_its_types(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE DOMAIN code AS varchar(8);
            CREATE TABLE meta (movie_id bigint, code text, label varchar(10));
              CREATE TABLE film (id int PRIMARY KEY, tmdb int, code code, kind text);
            INSERT INTO meta SELECT i, 'c' || i, 'l' || i FROM generate_series(1, 10) i;
            INSERT INTO film SELECT i, CASE WHEN i < 13 THEN i END, 'c' || i, 'x' FROM generate_series(1, 20) i;
            """, Stop);
        var rules = new ConsistencyRules
        {
            ForeignKeys =
            [
                new("conditional", Name("film"), ["id"], Name("meta"), ["movie_id"], "tmdb is not null",
                    new RowRepair.Quarantine()),
                new("composite", Name("film"), ["id", "code"], Name("meta"), ["movie_id", "code"], null, Report),
                new("no_table", Name("gone"), ["id"], Name("meta"), ["movie_id"], null, Report),
                new("no_column", Name("film"), ["what"], Name("meta"), ["movie_id"], null, Report),
                new("no_equality", Name("film"), ["id"], Name("meta"), ["code"], null, Report),
                new("bad_condition", Name("film"), ["id"], Name("meta"), ["movie_id"], "tmdb is not", Report),
            ],
        };

        var report = await Scrubbing.With(new ForeignKeyCheck(rules), database, Stop);

        Assert.Equal(["composite 10", "conditional 2"], report.Findings.Select(f => $"{f.Target.Rule} {f.Rows}").Order());
        var conditional = Assert.Single(report.Findings, f => f.Target.Rule == "conditional");
        Assert.Equal(["""{"id" : 11}""", """{"id" : 12}"""], conditional.Samples.Order());
        Assert.Equal(("rule", "quarantine"), (conditional.Facts[FactNames.Origin], conditional.Facts[FactNames.Repair]));
        foreach (var rule in new[] { "no_table", "no_column", "no_equality", "bad_condition" })
            Assert.Contains(
                rule, Assert.Single(report.Examinations, e => e.Target.Rule == rule).Verdict.Why, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Texts_outside_an_enum_or_a_list_are_found_and_NULL_is_not(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE TYPE stars AS ENUM ('one', 'two'); CREATE TABLE film (id int PRIMARY KEY, a text, b varchar(9));
            INSERT INTO film VALUES (1, 'one', 'G'), (2, 'two', 'PG'), (3, NULL, NULL), (4, 'One', 'g'), (5, 'three', 'it''s \');
            """, Stop);
        var rules = new ConsistencyRules
        {
            Enums =
            [
                new("by_type", Name("film"), "a", Name("stars"), [], new RowRepair.Nullify(), "review"),
                new("by_list", Name("film"), "b", null, ["G", "PG", "it's \\"], Report, null),
                new("no_type", Name("film"), "a", Name("planets"), [], Report, null),
            ],
        };

        var report = await Scrubbing.With(new AllowedTextCheck(rules), database, Stop);

        Assert.Equal(["by_list 1", "by_type 2"], report.Findings.Select(f => $"{f.Target.Rule} {f.Rows}").Order());
        var typed = Assert.Single(report.Findings, f => f.Target.Rule == "by_type");
        Assert.Equal(
            ("nullify", "review", "[\"one\",\"two\"]"),
            (typed.Facts[FactNames.Repair], typed.Facts[FactNames.Flag], typed.Facts[FactNames.Allowed]));
        Assert.IsType<Verdict.Unchecked>(Assert.Single(report.Examinations, e => e.Target.Rule == "no_type").Verdict);
    }

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task Documents_are_judged_by_their_schema_whether_the_server_can_or_not(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE TABLE film (id int PRIMARY KEY, b jsonb, j json);
            INSERT INTO film SELECT i, '{"release_date": "2020-01-01", "cast": [{"name": "x"}]}',
              '{"release_date": "2020-01-01"}' FROM generate_series(1, 100) i;
            INSERT INTO film VALUES (201, '{"release_date": 42}', '{}'), (202, '[1]', '[1]'), (203, NULL, NULL), (204,
              '{"release_date": "x", "cast": [{}]}', '{"release_date": null}');
            """, Stop);
        const string simple = """
            {"type": "object", "required": ["release_date"], "properties": {"release_date": {"type": "string"}}}
            """;
        const string deep = """
            {"type": "object", "required": ["release_date"], "properties": {"release_date": {"type": "string"},
             "cast": {"type": "array", "items": {"type": "object", "required": ["name"],
               "properties": {"name": {"type": "string", "pattern": "^[a-z]+$"}}}}}}
            """;
        var rules = new ConsistencyRules
        {
            Json =
            [
                new("simple", Name("film"), "b", simple, true, Report, null),
                new("deep", Name("film"), "b", deep, false, new RowRepair.Nullify(), null),
                new("as_json", Name("film"), "j", simple, true, Report, null),
                new("nonsense", Name("film"), "b", """{"type": "objekt"}""", true, Report, null),
                new("no_json", Name("film"), "id", simple, true, Report, null),
            ],
        };

        var report = await Scrubbing.With(new JsonSchemaCheck(rules), database, Stop);

        Assert.Equal(["as_json 3", "deep 4", "simple 2"], report.Findings.Select(f => $"{f.Target.Rule} {f.Rows}").Order());
        Assert.Equal(
            [201, 202, 203, 204], Assert.Single(report.Findings, f => f.Target.Rule == "deep").Samples.Select(Key).Order());
        foreach (var rule in new[] { "nonsense", "no_json" })
            Assert.IsType<Verdict.Unchecked>(Assert.Single(report.Examinations, e => e.Target.Rule == rule).Verdict);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_rule_in_SQL_tells_its_rows_and_a_wrong_one_is_unchecked_and_changes_nothing(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE TABLE seen (id int PRIMARY KEY, a int, b int); INSERT INTO seen SELECT i, i, i FROM generate_series(1, 50) i;
              UPDATE seen SET b = 0 WHERE id IN (7, 8);
            CREATE FUNCTION wipe() RETURNS bool LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.seen; RETURN true; END';
            """, Stop);
        SqlRule Rule(string name, string query) => new(name, Name("seen"), query, Severity.Critical, Report);
        var rules = new ConsistencyRules
        {
            Sql =
            [
                Rule("order", "select id from public.seen where b < a -- the end;"),
                    Rule("fine", "select id from public.seen where a > 100"),
                Rule("syntax", "selekt id from public.seen"), Rule("writes", "delete from public.seen returning id"),
                Rule("hidden_write", "select id from public.seen where public.wipe()"),
                    Rule("two", "select 1; drop table public.seen"),
                Rule("no_table", "select id from nowhere"), Rule("twin", "select 1 as id"), Rule("twin", "select 2 as id"),
            ],
        };

        var report = await Scrubbing.With(new SqlRuleCheck(rules), database, Stop);

        var finding = Assert.Single(report.Findings);
        Assert.Equal(("order", 2L, Severity.Critical), (finding.Target.Rule, finding.Rows, finding.Severity));
        Assert.Equal(["""{"id":7}""", """{"id":8}"""], finding.Samples.Order());
        Assert.IsType<Verdict.Sound>(report.Of("seen", "fine").Verdict);
        foreach (var rule in new[] { "syntax", "writes", "hidden_write", "two", "no_table" })
            Assert.IsType<Verdict.Unchecked>(report.Of("seen", rule).Verdict);
        Assert.Equal(2, report.Examinations.Count(e => e.Target.Rule == "twin" && e.Verdict is Verdict.Unchecked));
        Assert.Equal(50L, await database.Scalar<long>("SELECT count(*) FROM seen", Stop));
        var again = await database.Query(
            $"SELECT id FROM {finding.Facts[FactNames.From]} WHERE {finding.Facts[FactNames.Violation]} ORDER BY 1", Stop);
        Assert.Equal([7, 8], again.Select(row => (int)row[0]!));
    }

    [Fact]
    public async Task A_rule_that_never_ends_is_ended_and_told_and_the_others_are_asked()
    {
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        await database.Execute("CREATE TABLE seen (id int PRIMARY KEY); INSERT INTO seen VALUES (1)", Stop);
        var rules = new ConsistencyRules
        {
            Sql =
            [
                new("endless", Name("seen"), "with recursive r(n) as (select 1 union all select n + 1 from r) select n as id from r where n < 0",
                    Severity.Warning, Report),
                new("fine", Name("seen"), "select id from public.seen where id > 1", Severity.Warning, Report),
            ],
        };

        var report = await Scrubbing.With(new SqlRuleCheck(rules) { Limit = TimeSpan.FromMilliseconds(500) }, database, Stop);

        Assert.Contains("did not end within 0.5 s", Assert.IsType<Verdict.Unchecked>(report.Of("seen", "endless").Verdict).Reason, StringComparison.Ordinal);
        Assert.IsType<Verdict.Sound>(report.Of("seen", "fine").Verdict);
        Assert.Equal(0L, await database.Scalar<long>(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%kintsugi_rule%' AND state = 'active' AND pid <> pg_backend_pid()", Stop));
    }

    private static int Key(string json) => System.Text.Json.JsonDocument.Parse(json).RootElement.GetProperty("id").GetInt32();
}
