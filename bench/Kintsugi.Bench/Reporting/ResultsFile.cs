namespace Kintsugi.Bench.Reporting;

/// <summary>bench/RESULTS.md: a section for each benchmark, of the last time that it ran. What takes an hour at full size can so be measured piece by piece.</summary>
/// <param name="order">The benchmarks' names, as the sections follow each other.</param>
internal sealed class ResultsFile(string path, IReadOnlyList<string> order)
{
    private const string Mark = "## ";

    private const string Head = """
        # What `./bench/run` measured

        A ratio is our time over the peer's for the same work, in pairs that ran in turn (A B A B) after a warm-up: what else the machine did fell on both. Absolute times
        are of the machine at that hour, and mean nothing elsewhere. A figure counts only with a green gate. Each section says when it was measured, at which size and on
        what.


        """;

    /// <summary>Puts a section in the place of the older one of that name; those of others stay.</summary>
    public async Task Put(string name, string section, CancellationToken cancellationToken)
    {
        var sections = File.Exists(path) ? Sections(await File.ReadAllTextAsync(path, cancellationToken)) : [];
        sections[name] = section.Trim();
        await File.WriteAllTextAsync(path, Head + string.Join("\n\n", order.Where(sections.ContainsKey).Select(one => sections[one])) + "\n", cancellationToken);
    }

    private static Dictionary<string, string> Sections(string text) => text.Split("\n" + Mark).Skip(1)
        .ToDictionary(section => section.Split('\n', 2)[0].Trim(), section => Mark + section.Trim());
}
