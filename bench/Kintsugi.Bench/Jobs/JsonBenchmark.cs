using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Kintsugi.Bench.Measuring;
using Kintsugi.Bench.Reporting;
using Kintsugi.JsonSchema;

namespace Kintsugi.Bench.Jobs;

/// <summary>Documents that do not obey a JSON Schema.</summary>
internal sealed class JsonBenchmark : IBenchmark
{
    private const string Schema = """
        { "type": "object", "required": ["title", "year", "cast"],
          "properties": {
            "title": { "type": "string", "minLength": 1, "maxLength": 200 }, "year": { "type": "integer", "minimum": 1888, "maximum": 2100 },
            "rating": { "type": "number", "minimum": 0, "maximum": 10 }, "plot": { "type": "string" },
            "genres": { "type": "array", "maxItems": 10, "items": { "enum": ["drama", "comedy", "horror", "western"] } },
            "cast": { "type": "array", "items": { "type": "object", "required": ["name"], "properties": {
              "name": { "type": "string", "minLength": 1 }, "role": { "type": "string" }, "billing": { "type": "integer", "minimum": 1 } } } } } }
        """;

    /// <summary>The same rules as a person writes them in SQL, with care: most who do forget what is absent or of another type.</summary>
    private const string ByHand = """
        SELECT count(*) FROM films WHERE NOT coalesce(jsonb_typeof(meta) = 'object' AND jsonb_typeof(meta->'title') = 'string'
          AND length(meta->>'title') BETWEEN 1 AND 200 AND jsonb_typeof(meta->'year') = 'number'
          AND CASE jsonb_typeof(meta->'year') WHEN 'number' THEN (meta->>'year')::numeric BETWEEN 1888 AND 2100 AND (meta->>'year')::numeric % 1 = 0 END
          AND (NOT meta ? 'rating' OR CASE jsonb_typeof(meta->'rating') WHEN 'number' THEN (meta->>'rating')::numeric BETWEEN 0 AND 10 END)
          AND (NOT meta ? 'plot' OR jsonb_typeof(meta->'plot') = 'string')
          AND (NOT meta ? 'genres' OR CASE jsonb_typeof(meta->'genres') WHEN 'array' THEN jsonb_array_length(meta->'genres') <= 10 AND NOT EXISTS (
            SELECT FROM jsonb_array_elements(meta->'genres') g WHERE g NOT IN ('"drama"', '"comedy"', '"horror"', '"western"')) END)
          AND CASE jsonb_typeof(meta->'cast') WHEN 'array' THEN NOT EXISTS (SELECT FROM jsonb_array_elements(meta->'cast') c
            WHERE NOT coalesce(jsonb_typeof(c) = 'object' AND jsonb_typeof(c->'name') = 'string' AND length(c->>'name') >= 1
              AND (NOT c ? 'role' OR jsonb_typeof(c->'role') = 'string') AND (NOT c ? 'billing' OR CASE jsonb_typeof(c->'billing')
                WHEN 'number' THEN (c->>'billing')::numeric >= 1 AND (c->>'billing')::numeric % 1 = 0 END), false)) END, false)
        """;

    public string Name => "json";
    public string What => "Documents of about 500 bytes that break a JSON Schema (1,500 in a million), against the same rules written by hand in SQL; "
        + "and against COPY with NJsonSchema in process; then our validator alone, against NJsonSchema and against System.Text.Json only parsing the same documents.";

    public async Task Run(Room room, Report report, CancellationToken cancellationToken)
    {
        var rows = room.Size(120_000, 1_000_000);
        var cluster = await room.Database("documents", Statements(rows), cancellationToken);
        var config = Path.Combine(room.Laboratory.Root, "json.yaml");
        await File.WriteAllTextAsync(config,
            $"consistency: {{ json: [ {{ name: film, column: public.films.meta, schema: {Schema.ReplaceLineEndings(" ")} }} ] }}\n", cancellationToken);
        if (room.Peer("psql") is { } psql)
            await Compare("psql: the rules by hand", "", null, async () => (await room.Measure(cluster, [psql, "-XAtq", "-d", "documents", "-c", ByHand], cancellationToken)).Require(0));
        else
            await report.Missing("psql", "the search for bad documents by hand");
        var package = await NJsonSchema.JsonSchema.FromJsonAsync(Schema, cancellationToken);
        await Compare("COPY and NJsonSchema", "G9", 0.20, () => Copied(cluster, package, cancellationToken));
        await InProcess(room, report, package, await Documents(cluster, cancellationToken));

        async Task Compare(string peer, string goal, double? limit, Func<Task<Run>> theirs)
        {
            Run? ours = null, last = null;
            var pairs = await Pairs.Of(
                async () => ours = (await room.Ours(cluster, cancellationToken,
                    "check", "-d", "documents", "-c", config, "-q", "--format", "json", "--only", "json-schema")).Require(2),
                async () => last = await theirs());
            using var said = Said.JsonOf(ours!);
            var bad = said.RootElement.GetProperty("findings").EnumerateArray().Single().GetProperty("rows").GetInt64();
            await report.Add(new Line($"{rows:N0} documents against a schema", peer, goal, limit, pairs,
                Gate.Equal("bad documents", $"{bad}", Said.Number(last!)) & Gate.Equal("as many as were made", bad, 3L * (rows / 2000))));
        }
    }

    /// <summary>What a program of one's own does that knows no SQL for it: it fetches every document and validates it.</summary>
    private static async Task<Run> Copied(Lab.ThrowawayCluster cluster, NJsonSchema.JsonSchema schema, CancellationToken cancellationToken)
    {
        var begun = Stopwatch.GetTimestamp();
        var bad = 0;
        await using var connection = await cluster.Connect("documents", cancellationToken);
        await using var copy = await connection.BeginBinaryExportAsync("COPY (SELECT meta::text FROM films) TO STDOUT (FORMAT binary)", cancellationToken);
        while (await copy.StartRowAsync(cancellationToken) == 1)
            bad += schema.Validate(await copy.ReadAsync<string>(cancellationToken)).Count > 0 ? 1 : 0;
        return new Run(Stopwatch.GetElapsedTime(begun), TimeSpan.Zero, 0, 0, $"{bad}");
    }

    private static async Task<IReadOnlyList<byte[]>> Documents(Lab.ThrowawayCluster cluster, CancellationToken cancellationToken)
    {
        var texts = await cluster.Query("documents", "SELECT meta::text FROM films WHERE id <= 20000 ORDER BY id", cancellationToken);
        return [.. texts.Select(row => Encoding.UTF8.GetBytes((string)row[0]!))];
    }

    private static async Task InProcess(Room room, Report report, NJsonSchema.JsonSchema package, IReadOnlyList<byte[]> documents)
    {
        var schema = CompiledSchema.Compile(Schema, SchemaOptions.Default).Schema ?? throw new BenchException("the schema does not compile");
        var (ours, theirs) = (new HashSet<int>(), new HashSet<int>());
        var texts = documents.Select(Encoding.UTF8.GetString).ToList();
        var work = $"the validator alone, {documents.Count:N0} documents, five times";
        Task<Run> Ours() => Task.FromResult(Timed(() => Collect(ours, documents, document => schema.IsValid(document))));
        var pairs = await Pairs.Of(Ours, () => Task.FromResult(Timed(() => Collect(theirs, texts, text => package.Validate(text).Count == 0))));
        await report.Add(new Line(work, "NJsonSchema", "G10", 0.25, pairs,
            Gate.Equal("bad documents", ours.Count, 3 * (documents.Count / 2000)) & new Gate(ours.SetEquals(theirs), "the same ones")));
        pairs = await Pairs.Of(Ours, () => Task.FromResult(Timed(() =>
        {
            foreach (var document in documents)
                JsonDocument.Parse(document).Dispose();
        })));
        await report.Add(new Line(work, "System.Text.Json parses them", "", null, pairs, Gate.Equal("bad documents", ours.Count, 3 * (documents.Count / 2000))));
    }

    private static void Collect<T>(HashSet<int> bad, IReadOnlyList<T> documents, Func<T, bool> isValid)
    {
        bad.Clear();
        for (var i = 0; i < documents.Count; i++)
            if (!isValid(documents[i]))
                bad.Add(i);
    }

    private static Run Timed(Action work)
    {
        var begun = Stopwatch.GetTimestamp();
        for (var round = 0; round < 5; round++)
            work();
        return new Run(Stopwatch.GetElapsedTime(begun), TimeSpan.Zero, 0, 0, "");
    }

    private static IEnumerable<string> Statements(int rows)
    {
        yield return "CREATE TABLE films (id int PRIMARY KEY, meta jsonb NOT NULL)";
        yield return $$"""
            INSERT INTO films SELECT g, jsonb_build_object('title', 'Film ' || g, 'year', 1920 + g % 100, 'rating', (g % 100) / 10.0,
              'genres', jsonb_build_array('drama', 'comedy'), 'plot', repeat('plot ', 40), 'cast', jsonb_build_array(
              jsonb_build_object('name', 'Actor ' || g % 5000, 'role', 'hero', 'billing', 1), jsonb_build_object('name', 'Actor ' || g % 777, 'role', 'villain', 'billing', 2)))
            FROM generate_series(1, {{rows}}) g
            """;
        yield return "UPDATE films SET meta = meta - 'title' WHERE id % 2000 = 1";
        yield return "UPDATE films SET meta = jsonb_set(meta, '{year}', '\"1999\"') WHERE id % 2000 = 2";
        yield return "UPDATE films SET meta = meta #- '{cast,1,name}' WHERE id % 2000 = 3";
    }
}
