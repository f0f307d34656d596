using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using Kintsugi.Configuration.Reading;

namespace Kintsugi.Configuration.Shapes;

/// <summary>Reads the text of a single value.</summary>
/// <returns>What is wrong and what to write instead, or null when it is right.</returns>
internal delegate string? ScalarParser<T>(string text, ReadingContext reading, out T value);

/// <summary>A single value: a word, number, duration, name …</summary>
/// <param name="expected">What belongs here, for messages: "a duration such as 10m".</param>
/// <param name="schema">Makes its JSON Schema.</param>
/// <param name="parse">Reads it.</param>
/// <param name="quoted">Whether it may stand in quotes; a number or a flag in quotes is text.</param>
internal sealed class Scalar<T>(string expected, Func<JsonObject> schema, ScalarParser<T> parse, bool quoted = true) : Shape<T>
{
    /// <summary>Text of any kind needs no second form; anything narrower may also be a reference to the environment.</summary>
    public override JsonObject Schema()
    {
        var own = schema();
        var isAnyText = own["type"]?.GetValue<string>() == "string" && !own.ContainsKey("pattern") && !own.ContainsKey("format");
        return isAnyText ? own : new() { ["anyOf"] = new JsonArray(own, Reference()) };
    }

    private static JsonObject Reference() => new() { ["type"] = "string", ["pattern"] = "[$][{]env:[^}]+[}]" };

    public override bool IsWord(string text) => true;

    public override bool TryRead(Node node, string key, ReadingContext reading, [MaybeNullWhen(false)] out T value)
    {
        value = default;
        if (node is not TextNode text || text.IsNull)
        {
            reading.Mistake(node.Place, key, $"expected {expected}, found {node.Kind}");
            return false;
        }

        if (!reading.TryExpand(text, key, out var expanded))
        {
            return false;
        }

        if (!quoted && !text.Plain && expanded == text.Text)
        {
            reading.Mistake(node.Place, key, $"expected {expected}, found text in quotes; write it without them");
            return false;
        }

        if (parse(expanded, reading, out value!) is { } wrong)
        {
            reading.Mistake(node.Place, key, wrong);
            return false;
        }

        return true;
    }
}
