using System.Text;
using Kintsugi.JsonSchema;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.JsonSchema;

/// <summary>The server's suspects against the validator's verdicts: not one bad document may be overlooked.</summary>
public sealed class SqlPredicateTests(Servers servers)
{
    private const int Schemas = 250;
    private const int Documents = 60;

    /// <summary>Random schemas hold keywords without their partners.</summary>
    private static readonly SchemaOptions _options = SchemaOptions.Default with { UnknownKeywords = UnknownKeywords.Ignore };

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Overlooks_no_bad_document_whatever_the_schema(int major)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var database = await servers.Database(major, cancellationToken);
        var first = int.TryParse(Environment.GetEnvironmentVariable("KINTSUGI_SEED"), out var seed) ? seed : 1;
        var (pushed, exact, bad, good) = (0, 0, 0, 0);
        for (var at = first; at < first + Schemas; at++)
        {
            var random = new RandomJson(at);
            var text = random.Schema();
            var compiled = CompiledSchema.Compile(text, _options);
            Assert.True(compiled.Schema is not null, $"seed {at}: {text}: {string.Join("; ", compiled.Errors)}");
            if (SqlPredicate.For(compiled.Schema, "d.doc") is not { } predicate)
                continue;
            pushed++;
            exact += predicate.IsExactInUtf8 ? 1 : 0;
            var documents = Enumerable.Range(0, Documents).Select(_ => random.Document()).ToList();
            foreach (var (document, stored, suspect) in await Ask(database, predicate, documents, cancellationToken))
            {
                var valid = compiled.Schema.IsValid(Encoding.UTF8.GetBytes(stored));
                var story = $"seed {at}\nschema {text}\ndocument {document}\nstored {stored}\nsql {predicate.Text}";
                var before = compiled.Schema.IsValid(Encoding.UTF8.GetBytes(document));
                Assert.True(valid == before, $"jsonb changed the verdict: {story}");
                Assert.True(valid || suspect, $"a bad document was overlooked: {story}");
                Assert.True(!predicate.IsExactInUtf8 || suspect == !valid, $"a good document is suspect: {story}");
                (bad, good) = valid ? (bad, good + 1) : (bad + 1, good);
            }
        }

        // The comparison would be empty if nothing were pushed down, or if all documents were alike.
        Assert.True(pushed > Schemas / 2 && exact > Schemas / 4 && bad > Schemas && good > Schemas,
            $"{pushed} pushed down, {exact} exact, {bad} bad, {good} good");
    }

    [Fact]
    public async Task Lets_good_rows_stay_and_finds_those_that_a_strict_path_misses()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var database = await servers.Database(TestMajors.Newest, cancellationToken);
        var schema = CompiledSchema.Compile("""
            {"type":"object","required":["cast"],"properties":{"cast":{"type":"array","items":
             {"type":"object","required":["name"],"properties":{"name":{"type":"string","minLength":1}}}}}}
            """, SchemaOptions.Default).Schema!;
        var predicate = SqlPredicate.For(schema, "d.doc")!;

        var answers = await Ask(database, predicate,
        [
            """{"cast":[{"name":"x"}]}""", """{"cast":[]}""", """{"cast":[{"role":"x"}]}""", """{"cast":{"name":"x"}}""",
            """{"cast":[[{"name":"x"}]]}""", """{"cast":[{"name":null}]}""", "7", "[]",
        ], cancellationToken);

        Assert.True(predicate.IsExactInUtf8);
        Assert.Equal([false, false, true, true, true, true, true, true], answers.Select(answer => answer.Suspect));
    }

    private static async Task<List<(string Document, string Stored, bool Suspect)>> Ask(
        TestDatabase database, SqlPredicate predicate, List<string> documents, CancellationToken cancellationToken)
    {
        var values = documents.Select((document, at) => $"({at}, E'{Escape(document)}'::jsonb)");
        var rows = await database.Query(
            $"SELECT d.id, d.doc::text, {predicate.Text} FROM (VALUES {string.Join(", ", values)}) AS d(id, doc) ORDER BY d.id",
            cancellationToken);
        return rows.Select((row, at) => (documents[at], (string)row[1]!, (bool)row[2]!)).ToList();

        static string Escape(string text) =>
            text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal);
    }
}
