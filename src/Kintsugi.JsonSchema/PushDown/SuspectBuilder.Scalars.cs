using System.Globalization;

namespace Kintsugi.JsonSchema;

/// <summary>Numbers and texts.</summary>
internal sealed partial class SuspectBuilder
{
    private static IEnumerable<Suspect> Numbers(SchemaNode node, string value)
    {
        var number = SqlText.AsNumber(value);
        if (!node.Types.HasFlag(Types.Number))
            yield return Suspect.Exactly(SqlText.Infix(number, "<>", $"pg_catalog.trunc({number})"));
        if (node.Number is not { } rules)
            yield break;
        if (rules.Minimum is { } least)
            yield return Compared(number, "<", least);
        if (rules.Maximum is { } most)
            yield return Compared(number, ">", most);
        if (rules.ExclusiveMinimum is { } above)
            yield return Compared(number, "<=", above);
        if (rules.ExclusiveMaximum is { } below)
            yield return Compared(number, ">=", below);
        if (rules.MultipleOf is { } unit)
        {
            yield return SqlText.Number(unit) is { } divisor
                ? Suspect.Exactly(SqlText.Infix($"pg_catalog.mod({number}, {divisor})", "<>", "0::pg_catalog.numeric"))
                : Suspect.Unknown;
        }
    }

    private static Suspect Compared(string number, string op, ExactNumber limit) => SqlText.Number(limit) is { } sql
        ? Suspect.Exactly(SqlText.Infix(number, op, sql))
        : Suspect.Unknown;

    private IEnumerable<Suspect> Texts(TextRules rules, string value)
    {
        var text = SqlText.AsText(value);
        var length = $"pg_catalog.char_length({text})";
        NeedsUtf8 |= rules.MinLength > 0 || rules.MaxLength < int.MaxValue || rules.Pattern is not null;
        if (rules.MinLength > 0)
            yield return Suspect.Exactly(SqlText.Infix(length, "<", Count(rules.MinLength)));
        if (rules.MaxLength < int.MaxValue)
            yield return Suspect.Exactly(SqlText.Infix(length, ">", Count(rules.MaxLength)));
        if (rules.Pattern is { } pattern)
            yield return Matches(pattern, text) is { } matches ? Suspect.Exactly($"(NOT {matches})") : Suspect.Unknown;
        if (rules.Format is not null)
            yield return Suspect.Unknown;
    }

    /// <summary>Null where PostgreSQL would read the pattern otherwise. "C" makes ranges go by code point.</summary>
    private string? Matches(Pattern pattern, string text)
    {
        NeedsUtf8 = true;
        return pattern.Postgres is { } regex
            ? SqlText.Infix($"({text} COLLATE pg_catalog.\"C\")", "~", SqlText.Text(regex))
            : null;
    }

    private static string Count(long count) => count.ToString(CultureInfo.InvariantCulture);
}
