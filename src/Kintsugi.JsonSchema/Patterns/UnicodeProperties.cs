using System.Collections.Frozen;
using System.Globalization;

namespace Kintsugi.JsonSchema;

/// <summary>What <c>\p{…}</c> may name here: general categories (UAX 44, table 12), Any, ASCII and Assigned.</summary>
internal static class UnicodeProperties
{
    // In the order of the enumeration UnicodeCategory.
    private static readonly string[] _short =
    [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Pc", "Pd",
        "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Cn",
    ];

    private static readonly FrozenDictionary<string, string> _long = new Dictionary<string, string>
    {
        ["Letter"] = "L", ["Uppercase_Letter"] = "Lu", ["Lowercase_Letter"] = "Ll", ["Titlecase_Letter"] = "Lt",
        ["Modifier_Letter"] = "Lm", ["Other_Letter"] = "Lo", ["Mark"] = "M", ["Combining_Mark"] = "M",
        ["Nonspacing_Mark"] = "Mn", ["Spacing_Mark"] = "Mc", ["Enclosing_Mark"] = "Me", ["Number"] = "N",
        ["Decimal_Number"] = "Nd", ["digit"] = "Nd", ["Letter_Number"] = "Nl", ["Other_Number"] = "No", ["Separator"] = "Z",
        ["Space_Separator"] = "Zs", ["Line_Separator"] = "Zl", ["Paragraph_Separator"] = "Zp", ["Other"] = "C",
        ["Control"] = "Cc", ["cntrl"] = "Cc", ["Format"] = "Cf", ["Surrogate"] = "Cs", ["Private_Use"] = "Co",
        ["Unassigned"] = "Cn", ["Punctuation"] = "P", ["punct"] = "P", ["Connector_Punctuation"] = "Pc",
        ["Dash_Punctuation"] = "Pd", ["Open_Punctuation"] = "Ps", ["Close_Punctuation"] = "Pe",
        ["Initial_Punctuation"] = "Pi", ["Final_Punctuation"] = "Pf", ["Other_Punctuation"] = "Po", ["Symbol"] = "S",
        ["Math_Symbol"] = "Sm", ["Currency_Symbol"] = "Sc", ["Modifier_Symbol"] = "Sk", ["Other_Symbol"] = "So",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <returns>Null for a property that is not known here, scripts among them.</returns>
    public static CodePoints? Find(string name)
    {
        switch (name)
        {
            case "Any":
                return CodePoints.Of((0, 0x10FFFF));
            case "ASCII":
                return CodePoints.Of((0, 0x7F));
            case "Assigned":
                return CodePoints.Where(category => category != UnicodeCategory.OtherNotAssigned);
        }

        var value = name;
        foreach (var prefix in new[] { "General_Category=", "gc=" })
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal))
                value = name[prefix.Length..];
        }

        var code = _long.GetValueOrDefault(value, value);
        if (code == "LC")
            return CodePoints.Where(category => _short[(int)category] is "Lu" or "Ll" or "Lt");
        return code.Length is 1 or 2 && _short.Any(known => known.StartsWith(code, StringComparison.Ordinal))
            ? CodePoints.Where(category => _short[(int)category].StartsWith(code, StringComparison.Ordinal))
            : null;
    }
}
