using System.Text;

namespace Kintsugi.Rules;

/// <summary>A table, index or type by schema and name, as the catalog spells them (no quotes, case as stored).</summary>
public sealed record ObjectName(string Schema, string Name)
{
    /// <summary>The name as a person would write it: quoted only where SQL needs it.</summary>
    public override string ToString() => $"{SqlName.Write(Schema)}.{SqlName.Write(Name)}";
}

/// <summary>Reads dotted names by the rules of SQL identifiers (manual, 4.1.1): unquoted parts fold to lower case,
/// quoted ones are taken as they are, with "" for a quote.</summary>
public static class SqlName
{
    /// <summary>The parts of the name, or null when it is not one.</summary>
    public static IReadOnlyList<string>? Split(string text)
    {
        var parts = new List<string>();
        var at = 0;
        while (true)
        {
            var part = at < text.Length && text[at] == '"' ? Quoted(text, ref at) : Bare(text, ref at);
            if (string.IsNullOrEmpty(part))
            {
                return null;
            }

            parts.Add(part);
            if (at == text.Length)
            {
                return parts;
            }

            if (text[at++] != '.')
            {
                return null;
            }
        }
    }

    public static string Write(string name)
    {
        var at = 0;
        return Bare(name, ref at) == name && at == name.Length ? name : $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    private static string? Quoted(string text, ref int at)
    {
        var part = new StringBuilder();
        for (at++; at < text.Length; at++)
        {
            if (text[at] != '"')
            {
                part.Append(text[at]);
            }
            else if (at + 1 < text.Length && text[at + 1] == '"')
            {
                part.Append(text[at++]);
            }
            else
            {
                at++;
                return part.ToString();
            }
        }

        return null; // never closed
    }

    /// <summary>Only ASCII letters fold, as in a UTF-8 database of the C locale; other letters stand as written.</summary>
    private static string? Bare(string text, ref int at)
    {
        var start = at;
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] is '_' or '$' || text[at] > '\x7f'))
        {
            at++;
        }

        return at == start || char.IsAsciiDigit(text[start]) || text[start] == '$'
            ? null
            : string.Create(at - start, (text, start), static (to, from) =>
            {
                for (var i = 0; i < to.Length; i++)
                {
                    var c = from.text[from.start + i];
                    to[i] = char.IsAsciiLetterUpper(c) ? char.ToLowerInvariant(c) : c;
                }
            });
    }
}
