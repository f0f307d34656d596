using System.Text;
using System.Text.RegularExpressions;
using Kintsugi.Cli.Runtime;

namespace Kintsugi.Cli.Options;

/// <summary>
/// A name pattern by psql's rules (psql, "Patterns"): * and ? are wild, dots separate, letters fold to lower case outside of double quotes,
/// quoted characters stand for themselves, $ is literal, and other regular-expression characters keep their meaning.
/// </summary>
internal sealed class NamePattern
{
    private readonly Regex? schema;
    private readonly Regex name;

    private NamePattern(string text, Regex? schema, Regex name)
    {
        Text = text;
        this.schema = schema;
        this.name = name;
    }

    public string Text { get; }

    /// <summary>How many names it matched: a pattern that matches nothing is a mistake.</summary>
    public int Matched { get; private set; }

    /// <param name="mayHaveSchema">Whether schema.name is allowed.</param>
    public static NamePattern Parse(string text, bool mayHaveSchema)
    {
        var parts = Split(text);
        if (parts.Count > (mayHaveSchema ? 2 : 1))
            throw new UsageException($"improper qualified name (too many dotted names): {text}");
        return parts.Count == 2 ? new NamePattern(text, parts[0], parts[1]) : new NamePattern(text, null, parts[0]);
    }

    public bool Matches(string? schemaName, string objectName)
    {
        var matches = (schema is null || (schemaName is not null && schema.IsMatch(schemaName))) && name.IsMatch(objectName);
        if (matches)
            Matched++;
        return matches;
    }

    private static List<Regex> Split(string text)
    {
        var parts = new List<Regex>();
        var part = new StringBuilder();
        var quoted = false;
        for (var at = 0; at < text.Length; at++)
        {
            var letter = text[at];
            if (letter == '"' && quoted && at + 1 < text.Length && text[at + 1] == '"')
            {
                part.Append('"');
                at++;
            }
            else if (letter == '"')
                quoted = !quoted;
            else if (letter == '.' && !quoted)
                Finish();
            else
                part.Append(quoted ? Regex.Escape(letter.ToString()) : Wild(letter));
        }
        if (quoted)
            throw new UsageException($"the pattern {text} has a quote that is not closed");
        Finish();
        return parts;

        void Finish()
        {
            try
            {
                parts.Add(new Regex($"^({part})$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking));
            }
            catch (ArgumentException problem)
            {
                throw new UsageException($"the pattern {text} cannot be read: {problem.Message}");
            }
            part.Clear();
        }
    }

    private static string Wild(char letter) => letter switch
    {
        '*' => ".*",
        '?' => ".",
        '$' => @"\$",
        _ => char.ToLowerInvariant(letter).ToString(),
    };
}
