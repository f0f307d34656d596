using System.Text;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using Kintsugi.JsonSchema;

namespace Kintsugi.MicroBench;

/// <summary>One document of about 500 bytes against a schema, beside what parsing alone costs.</summary>
public class JsonValidator
{
    private const string Schema = """
        { "type": "object", "required": ["title", "year", "cast"],
          "properties": {
            "title": { "type": "string", "minLength": 1, "maxLength": 200 }, "year": { "type": "integer", "minimum": 1888, "maximum": 2100 },
            "rating": { "type": "number", "minimum": 0, "maximum": 10 },
            "cast": { "type": "array", "items": { "type": "object", "required": ["name"], "properties": { "name": { "type": "string", "minLength": 1 } } } } } }
        """;

    private readonly CompiledSchema schema = CompiledSchema.Compile(Schema, SchemaOptions.Default).Schema
        ?? throw new InvalidOperationException("the schema does not compile");

    private readonly byte[] document = Encoding.UTF8.GetBytes("{\"title\": \"Film 1\", \"year\": 1999, \"rating\": 7.5, \"plot\": \""
        + string.Concat(Enumerable.Repeat("plot ", 60)) + "\", \"cast\": [{\"name\": \"Actor 1\", \"role\": \"hero\"}, {\"name\": \"Actor 2\", \"role\": \"villain\"}]}");

    [Benchmark]
    public bool Validate() => schema.IsValid(document);

    [Benchmark(Baseline = true)]
    public void Parse() => JsonDocument.Parse(document).Dispose();
}
