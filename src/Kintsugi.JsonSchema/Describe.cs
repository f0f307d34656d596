using System.Text;
using System.Text.Json;

namespace Kintsugi.JsonSchema;

/// <summary>Words for values in messages.</summary>
internal static class Describe
{
    /// <summary>Longest piece of a document quoted in a message.</summary>
    private const int MaxQuote = 60;

    public static string Kind(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Null => "null",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        JsonValueKind.Number => "a number",
        JsonValueKind.String => "a string",
        JsonValueKind.Array => "an array",
        _ => "an object",
    };

    public static string Kind(JsonKind kind) => kind switch
    {
        JsonKind.Null => "null",
        JsonKind.True or JsonKind.False => "a boolean",
        JsonKind.Number => "a number",
        JsonKind.Text => "a string",
        JsonKind.Array => "an array",
        _ => "an object",
    };

    public static string Value(Tape tape, int at)
    {
        switch (tape[at].Kind)
        {
            case JsonKind.Text:
                return $"\"{Cut(Encoding.UTF8.GetString(tape.Bytes(at)))}\"";
            case JsonKind.Number:
                return Cut(Encoding.UTF8.GetString(tape.Bytes(at)));
            case JsonKind.True:
                return "true";
            case JsonKind.False:
                return "false";
            case JsonKind.Null:
                return "null";
            default:
                return $"{Kind(tape[at].Kind)} of {tape[at].Length}";
        }
    }

    public static string Types(Types types)
    {
        var names = TypeNames.All.Where(pair => types.HasFlag(pair.Value)).Select(pair => pair.Key).ToList();
        if (types.HasFlag(JsonSchema.Types.Number))
            names.Remove("integer");
        return string.Join(" or ", names);
    }

    public static string Cut(string text) =>
        text.Length <= MaxQuote
            ? text
            : string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[MaxQuote - 1]) ? MaxQuote - 1 : MaxQuote), "…");
}
