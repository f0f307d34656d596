using Kintsugi.JsonSchema;
using Xunit;

namespace Kintsugi.Engine.Tests.JsonSchema;

/// <summary>What an owner's schema is refused for, and where the message points.</summary>
public sealed class CompilingTests
{
    [Theory]
    [InlineData("""{"properties":{"a":{"minLenght":3}}}""", "/properties/a/minLenght", "did you mean \"minLength\"")]
    [InlineData("""{"require":["a"]}""", "/require", "did you mean \"required\"")]
    [InlineData("""{"additionalItems":false}""", "/additionalItems", "prefixItems")]
    [InlineData("""{"nullable":true}""", "/nullable", "null")]
    [InlineData("""{"type":"strin"}""", "/type", "did you mean \"string\"")]
    [InlineData("""{"minLength":-1}""", "/minLength", "whole number of zero or more")]
    [InlineData("""{"minLength":1.5}""", "/minLength", "whole number of zero or more")]
    [InlineData("""{"multipleOf":0}""", "/multipleOf", "above zero")]
    [InlineData("""{"required":"a"}""", "/required", "array of property names")]
    [InlineData("""{"dependentRequired":["a"]}""", "/dependentRequired", "object of name lists")]
    [InlineData("""{"allOf":[]}""", "/allOf", "at least one schema")]
    [InlineData("""{"items":[{"type":"string"}]}""", "/items", "an array")]
    [InlineData("""{"$ref":"#/$defs/nothing"}""", "/$ref", "points to nothing")]
    [InlineData("""{"$ref":"https://example.com/other.json"}""", "/$ref", "nothing is fetched")]
    [InlineData("""{"$schema":"http://json-schema.org/draft-07/schema#"}""", "/$schema", "dialect")]
    [InlineData("""{"then":{"type":"string"}}""", "/then", "without \"if\"")]
    [InlineData("""{"pattern":"a("}""", "/pattern", "without ')'")]
    [InlineData("""{"pattern":"(?i)a"}""", "/pattern", "knows no group")]
    [InlineData("""{"pattern":"\\p{Script=Greek}"}""", "/pattern", "scripts are not")]
    [InlineData("""{"type":"string","type":"number"}""", "/type", "written twice")]
    [InlineData("""{"$ref":"#"}""", "", "without end")]
    [InlineData("""{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"not":{"$ref":"#/$defs/a"}}}}""",
        "/$defs/b/not", "without end")]
    [InlineData("""{"type":""", "", "no JSON")]
    [InlineData("[1]", "", "object, true or false")]
    public void Refuses_with_place_and_hint(string schema, string location, string words)
    {
        var compiled = CompiledSchema.Compile(schema, SchemaOptions.Default);

        Assert.Null(compiled.Schema);
        Assert.Contains(compiled.Errors, error => error.Location == location
            && error.Message.Contains(words, StringComparison.Ordinal));
    }

    [Fact]
    public void Reports_every_mistake_at_once()
    {
        var compiled = CompiledSchema.Compile(
            """{"typ":"object","properties":{"a":{"minimum":"x"}},"required":1}""", SchemaOptions.Default);

        Assert.Equal(["/properties/a/minimum", "/required", "/typ"], compiled.Errors.Select(error => error.Location));
    }

    [Fact]
    public void Refuses_a_format_it_could_not_assert()
    {
        var asserting = SchemaOptions.Default with { AssertFormat = true };

        Assert.NotNull(CompiledSchema.Compile("""{"format":"date-tim"}""", SchemaOptions.Default).Schema);
        var error = Assert.Single(CompiledSchema.Compile("""{"format":"date-tim"}""", asserting).Errors);
        Assert.Contains("did you mean \"date-time\"", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Takes_remarks_and_extensions_for_what_they_are() =>
        Assert.Empty(CompiledSchema.Compile(
            """{"$comment":"c","title":"t","description":"d","examples":[1],"default":2,"x-owner":"me","definitions":{"a":{}}}""",
            SchemaOptions.Default).Errors);
}
