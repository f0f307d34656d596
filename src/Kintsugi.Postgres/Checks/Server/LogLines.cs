using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Server;

/// <summary>Reads the end of a server log, in any of its formats, for lines that speak of damage.</summary>
internal static class LogLines
{
    /// <param name="Text">The line, cut to a length that can be read.</param>
    /// <param name="Gist">What it says without time, process and numbers of blocks: the same fault gives the same gist.</param>
    internal sealed record Trace(string Text, string Gist);

    private static readonly string[] Codes = ["XX001", "XX002"];
    private static readonly string[] Loud = ["PANIC:", "\"PANIC\"", ",PANIC,"];

    /// <summary>Lines of our own sessions do not count: they only repeat what a scrub has met.</summary>
    public static IEnumerable<Trace> OfDamage(string log)
    {
        foreach (var line in log.Split('\n'))
        {
            var speaks = SqlStates.SpeaksOfDamage(line) || Codes.Any(code => line.Contains(code, StringComparison.Ordinal))
                || Loud.Any(word => line.Contains(word, StringComparison.Ordinal));
            if (speaks && !line.Contains("kintsugi", StringComparison.OrdinalIgnoreCase)
                && !line.Contains("STATEMENT:", StringComparison.Ordinal) && !line.Contains("CONTEXT:", StringComparison.Ordinal))
                yield return new Trace(line.Length > 300 ? line[..300] : line.TrimEnd('\r'), Gist(line));
        }
    }

    private static string Gist(string line)
    {
        var start = line.IndexOf("ERROR:", StringComparison.Ordinal) is var error and >= 0 ? error
            : line.IndexOf("PANIC:", StringComparison.Ordinal) is var panic and >= 0 ? panic
            : line.IndexOf("WARNING:", StringComparison.Ordinal) is var warning and >= 0 ? warning : 0;
        var words = new string([.. line[start..].Where(letter => !char.IsDigit(letter))]);
        return words.Length > 120 ? words[..120] : words.Trim();
    }
}
