using System.Globalization;

namespace Kintsugi.JsonSchema;

/// <summary>Rules about a value by itself: its type, numbers, texts.</summary>
internal sealed partial class Evaluator
{
    private bool Values(SchemaNode node, int at)
    {
        var ok = true;
        if (node.Types != Types.Any && !OfType(node.Types, at))
            ok = Fail(node, "type", at, _report is null ? "" : $"expected {Describe.Types(node.Types)}");
        if (!ok && Enough)
            return false;
        if (node.Const is { } only && !TapeEquality.Equal(_tape, at, only, 0))
            ok = Fail(node, "const", at, _report is null ? "" : $"expected {Describe.Value(only, 0)}");
        if (node.Enum is { } choices && !Among(choices, at))
            ok = Fail(node, "enum", at, _report is null ? "" : $"expected one of {Choices(choices)}");
        if (!ok && Enough)
            return false;
        return ok & _tape[at].Kind switch
        {
            JsonKind.Number => node.Number is null || Number(node, node.Number, at),
            JsonKind.Text => node.Text is null || Text(node, node.Text, at),
            _ => true,
        };
    }

    private bool OfType(Types types, int at)
    {
        var kind = _tape[at].Kind;
        if (kind == JsonKind.Number)
            return types.HasFlag(Types.Number)
                || (types.HasFlag(Types.Integer) && ExactNumber.Parse(_tape.Bytes(at)).IsInteger);
        var type = kind switch
        {
            JsonKind.Null => Types.Null,
            JsonKind.True or JsonKind.False => Types.Boolean,
            JsonKind.Text => Types.Text,
            JsonKind.Array => Types.Array,
            _ => Types.Object,
        };
        return (types & type) != 0;
    }

    private bool Among(IReadOnlyList<Tape> choices, int at)
    {
        for (var i = 0; i < choices.Count; i++)
        {
            if (TapeEquality.Equal(_tape, at, choices[i], 0))
                return true;
        }

        return false;
    }

    private static string Choices(IReadOnlyList<Tape> choices) =>
        Describe.Cut(string.Join(", ", choices.Take(10).Select(choice => Describe.Value(choice, 0))));

    private bool Number(SchemaNode node, NumberRules rules, int at)
    {
        var value = ExactNumber.Parse(_tape.Bytes(at));
        var ok = true;
        if (rules.Minimum is { } least && value.CompareTo(least) < 0)
            ok = Fail(node, "minimum", at, _report is null ? "" : $"expected a number of at least {least}");
        if (rules.Maximum is { } most && value.CompareTo(most) > 0)
            ok = Fail(node, "maximum", at, _report is null ? "" : $"expected a number of at most {most}");
        if (rules.ExclusiveMinimum is { } above && value.CompareTo(above) <= 0)
            ok = Fail(node, "exclusiveMinimum", at, _report is null ? "" : $"expected a number above {above}");
        if (rules.ExclusiveMaximum is { } below && value.CompareTo(below) >= 0)
            ok = Fail(node, "exclusiveMaximum", at, _report is null ? "" : $"expected a number below {below}");
        if (rules.MultipleOf is { } unit && !value.IsMultipleOf(unit))
            ok = Fail(node, "multipleOf", at, _report is null ? "" : $"expected a multiple of {unit}");
        return ok;
    }

    private bool Text(SchemaNode node, TextRules rules, int at)
    {
        var ok = true;
        var text = _tape.Bytes(at);
        if (rules.MinLength > 0 || rules.MaxLength < text.Length)
        {
            var length = CodePointsIn(text);
            if (length < rules.MinLength)
                ok = Fail(node, "minLength", at, Expected(rules.MinLength, "at least", "characters", length));
            if (length > rules.MaxLength)
                ok = Fail(node, "maxLength", at, Expected(rules.MaxLength, "at most", "characters", length));
        }

        if (!ok && Enough)
            return false;
        if (rules.Pattern is { } pattern && !pattern.IsMatch(text))
            ok = Fail(node, "pattern", at, _report is null ? "" : $"expected a text that matches {pattern.Source}");
        if (rules.Format is { } format && !format.Holds(text))
            ok = Fail(node, "format", at, _report is null ? "" : $"expected a {format.Name}");
        return ok;
    }

    private string Expected(long limit, string bound, string things, long actual) => _report is null
        ? ""
        : string.Create(CultureInfo.InvariantCulture, $"expected {bound} {limit} {things}, not {actual}");

    /// <summary>Every byte of UTF-8 that does not continue a character begins one.</summary>
    private static int CodePointsIn(ReadOnlySpan<byte> utf8)
    {
        var count = 0;
        foreach (var b in utf8)
            count += (b & 0xC0) != 0x80 ? 1 : 0;
        return count;
    }
}
