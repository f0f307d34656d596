using System.Text;
using Kintsugi.Configuration;
using Kintsugi.Configuration.Reading;
using Kintsugi.Configuration.Shapes;
using Kintsugi.JsonSchema;

namespace Kintsugi.Engine.Tests.Configuration;

/// <summary>What editors are told agrees with what the reader takes.</summary>
public sealed class EditorSchemaTests
{
    private static readonly CompiledSchema Schema = Compile();

    [Fact]
    public void The_written_file_conforms_to_the_schema() => Assert.Equal("", Complaint(ConfigurationTemplate.Text));

    [Theory]
    [InlineData("mode: observe")]
    [InlineData("database: { auto_healing: { enabled: \"${env:ON}\", health_check_interval: \"${env:T}\" } }")]
    [InlineData("database: { password: { env: X }, connection: host=h }")]
    [InlineData("consistency: { enums: [ { column: a.b.c, values: [x], repair: { set: lower(c) } } ] }")]
    [InlineData("consistency: { json: [ { column: a.b.c, schema: { type: object } } ] }")]
    [InlineData("policy: { index-corrupt: auto, exceptions: [ { fault: row-orphaned, policy: never } ] }")]
    [InlineData("windows: [ { days: [sat], from: \"02:00\", to: \"05:00\" } ]")]
    public void What_the_reader_takes_the_editor_takes(string text)
    {
        new Reading().Variable("ON", "true").Variable("T", "1h").Variable("X", "x").Valid(text);

        Assert.Equal("", Complaint(text));
    }

    [Theory]
    [InlineData("mod: heal")]
    [InlineData("mode: heel")]
    [InlineData("database: { auto_healing: { enabled: \"true\" } }")]
    [InlineData("database: { auto_healing: { health_check_interval: 10 } }")]
    [InlineData("budget: { rows_per_case: -1 }")]
    [InlineData("policy: { index-corupt: auto }")]
    [InlineData("targets: [ { connection: host=h } ]")]
    [InlineData("consistency: { unique: [ { index: a.b, keep: best } ] }")]
    public void What_the_reader_refuses_the_editor_underlines(string text)
    {
        Assert.NotEmpty(new Reading().Mistakes(text));
        Assert.NotEqual("", Complaint(text));
    }

    private static CompiledSchema Compile()
    {
        var compiled = CompiledSchema.Compile(ConfigurationSchema.Text(), SchemaOptions.Default);
        Assert.Empty(compiled.Errors);
        return compiled.Schema!;
    }

    private static string Complaint(string yaml)
    {
        var reading = new ReadingContext(new(new Dictionary<string, string>(), _ => null), "/");
        Assert.True(new JsonText().TryRead(YamlText.Parse(yaml, "config.yaml", reading)!, "", reading, out var json));
        var examination = Schema.Validate(Encoding.UTF8.GetBytes(json), 10);
        return examination.Conformance == Conformance.Conforms ? "" : $"{examination.Reason} {string.Join('\n', examination.Violations)}";
    }
}
