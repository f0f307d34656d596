using System.Text;
using Kintsugi.JsonSchema;
using Xunit;

namespace Kintsugi.Engine.Tests.JsonSchema;

/// <summary>Where other validators round, split, hang or fall over.</summary>
public sealed class ExactnessTests
{
    [Theory]
    [InlineData("""{"maximum":9007199254740992}""", "9007199254740993", false)]
    [InlineData("""{"maximum":9007199254740993}""", "9007199254740993", true)]
    [InlineData("""{"minimum":0.1}""", "0.1000000000000000000000000000000000000001", true)]
    [InlineData("""{"exclusiveMinimum":0.1}""", "1e-1", false)]
    [InlineData("""{"maximum":1e400}""", "1e401", false)]
    [InlineData("""{"maximum":-1e400}""", "-1e401", true)]
    [InlineData("""{"multipleOf":0.01}""", "19.99", true)]
    [InlineData("""{"multipleOf":0.01}""", "4.0000000000000000000001", false)]
    [InlineData("""{"multipleOf":3}""", "123456789012345678901234567890", true)]
    [InlineData("""{"multipleOf":7}""", "1e1000000000", false)]
    [InlineData("""{"type":"integer"}""", "1e1000000000", true)]
    [InlineData("""{"type":"integer"}""", "1.50e1", true)]
    [InlineData("""{"type":"integer"}""", "1e-1", false)]
    [InlineData("""{"const":1.0}""", "1", true)]
    [InlineData("""{"enum":[100]}""", "1e2", true)]
    [InlineData("""{"const":{"a":[1,{"b":2.00}]}}""", """{"a":[1.0,{"b":2}]}""", true)]
    [InlineData("""{"uniqueItems":true}""", "[1,1.0]", false)]
    [InlineData("""{"uniqueItems":true}""", """[{"a":1,"b":2},{"b":2,"a":1}]""", false)]
    [InlineData("""{"maxLength":1}""", "\"🐲\"", true)]
    [InlineData("""{"minLength":2}""", "\"\\ud83d\\udc32\"", false)]
    [InlineData("""{"pattern":"^.$"}""", "\"🐲\"", true)]
    [InlineData("""{"pattern":"^[^a]$"}""", "\"🐲\"", true)]
    [InlineData("""{"pattern":"^\\p{L}+$"}""", "\"𝔸b\"", true)]
    [InlineData("""{"pattern":"^\\w$"}""", "\"é\"", false)]
    [InlineData("""{"pattern":"^a$"}""", "\"a\\n\"", false)]
    [InlineData("""{"properties":{"a":{"type":"string"}}}""", """{"a":1,"a":"x"}""", true)]
    [InlineData("""{"properties":{"a":{"type":"string"}}}""", """{"a":"x","\u0061":1}""", false)]
    [InlineData("""{"maxProperties":1}""", """{"a":1,"a":"x"}""", true)]
    [InlineData("""{"minProperties":2}""", """{"a":1,"a":"x"}""", false)]
    public void Decides_exactly(string schema, string document, bool valid)
    {
        var compiled = Compile(schema);

        Assert.Equal(valid, compiled.IsValid(Encoding.UTF8.GetBytes(document)));
        var examined = compiled.Validate(Encoding.UTF8.GetBytes(document), 1);
        Assert.Equal(valid ? Conformance.Conforms : Conformance.Violates, examined.Conformance);
    }

    [Theory]
    [InlineData("{}", "[1,")]
    [InlineData("{}", "")]
    [InlineData("{}", "\"\\ud83d\"")]
    [InlineData("""{"pattern":"^(a+)+(?=b)$"}""", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"")]
    public void Never_calls_good_what_it_could_not_judge(string schema, string document)
    {
        var compiled = Compile(schema, SchemaOptions.Default with { PatternTimeout = TimeSpan.FromMilliseconds(50) });
        var bytes = Encoding.UTF8.GetBytes(document);

        var examined = compiled.Validate(bytes, 1);
        Assert.Equal(Conformance.Undecided, examined.Conformance);
        Assert.NotEmpty(examined.Reason!);
        Assert.Throws<UndecidedException>(() => compiled.IsValid(bytes));
    }

    [Fact]
    public void Survives_nesting_of_any_depth()
    {
        var options = SchemaOptions.Default with { MaxDepth = 200_000 };
        var tree = Compile("""{"type":"array","items":{"$ref":"#"},"uniqueItems":true}""", options);

        foreach (var depth in new[] { 100, 150_000, 250_000 })
        {
            var examined = tree.Validate(Encoding.UTF8.GetBytes(new string('[', depth) + new string(']', depth)), 1);
            Assert.Equal(depth == 100 ? Conformance.Conforms : Conformance.Undecided, examined.Conformance);
        }
    }

    [Fact]
    public void Judges_a_pattern_that_would_explode_elsewhere_in_linear_time() =>
        Assert.False(Compile("""{"pattern":"^(a+)+$"}""").IsValid(Encoding.UTF8.GetBytes($"\"{new string('a', 50_000)}!\"")));

    [Fact]
    public void Names_value_rule_expected_and_actual()
    {
        var schema = Compile("""
            {"required":["id"],"properties":{"a/b":{"items":{"$ref":"#/$defs/short"}}},"$defs":{"short":{"maxLength":2}},
             "additionalProperties":false,"propertyNames":{"minLength":2}}
            """);

        var examined = schema.Validate("""{"a/b":["xx","xyz"],"c":1}"""u8, 10);

        Assert.Equal(
        [
            new Violation("/a~1b/1", "/$defs/short/maxLength", "expected at most 2 characters, not 3, found \"xyz\""),
            new Violation("/c", "/additionalProperties", "nothing is allowed here, found 1"),
            new Violation("/c", "/propertyNames/minLength", "expected at least 2 characters, not 1, found \"c\""),
            new Violation("", "/required", "the property \"id\" is required and is missing"),
        ], examined.Violations);
        Assert.Single(schema.Validate("""{"a/b":["xx","xyz"],"c":1}"""u8, 1).Violations);
    }

    private static CompiledSchema Compile(string schema, SchemaOptions? options = null)
    {
        var compiled = CompiledSchema.Compile(schema, options ?? SchemaOptions.Default);
        Assert.Empty(compiled.Errors);
        return compiled.Schema!;
    }
}
