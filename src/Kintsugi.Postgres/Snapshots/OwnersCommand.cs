using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Kintsugi.Postgres.Snapshots;

/// <summary>Runs a command of the owner's by /bin/sh, with placeholders filled in as quoted words.</summary>
internal static partial class OwnersCommand
{
    /// <summary>Longer ones would fill the manifest.</summary>
    private const int MostWords = 2000;

    /// <returns>What it said.</returns>
    /// <exception cref="HealingException">It did not end with 0, or names a placeholder that there is none of.</exception>
    public static async ValueTask<string> Run(
        string what, string command, IReadOnlyDictionary<string, string> values, CancellationToken cancellationToken)
    {
        var text = Placeholder().Replace(command, match => values.TryGetValue(match.Groups[1].Value, out var value) ? Quoted(value)
            : throw new HealingException($"{what}: the command has {match.Value}; there are {string.Join(", ", values.Keys.Select(key => $"{{{key}}}"))}", mayPass: false));
        // What it starts in the background keeps its output open: it goes to a file, and only the end of the command is waited for.
        var words = Path.GetTempFileName();
        try
        {
            var start = new ProcessStartInfo("/bin/sh") { WorkingDirectory = "/" };
            foreach (var argument in new[] { "-c", $"exec > {Quoted(words)} 2>&1 < /dev/null\n{text}" })
                start.ArgumentList.Add(argument);
            using var process = Process.Start(start) ?? throw new HealingException($"{what}: /bin/sh could not be started", mayPass: false);
            try
            {
                await process.WaitForExitAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }
            var said = (await File.ReadAllTextAsync(words, CancellationToken.None)).Trim();
            said = said.Length > MostWords ? said[..MostWords] + " …" : said;
            return process.ExitCode == 0 ? said
                : throw new HealingException($"{what}: the command ended with {process.ExitCode}: {text}{(said.Length > 0 ? $"\n{said}" : "")}", mayPass: false);
        }
        finally
        {
            File.Delete(words);
        }
    }

    public static string Quoted(string word) => $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    [GeneratedRegex(@"\{([a-z_]+)\}")]
    private static partial Regex Placeholder();
}
