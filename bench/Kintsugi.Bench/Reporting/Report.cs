using System.Globalization;
using System.Text;

namespace Kintsugi.Bench.Reporting;

/// <summary>Prints what was measured as it comes, and keeps it for bench/RESULTS.md.</summary>
internal sealed class Report(TextWriter to)
{
    private readonly StringBuilder text = new();
    private readonly List<string> missing = [];

    public bool Green { get; private set; } = true;

    /// <summary>Figures that were held against something, or stand by themselves; a run without any has shown nothing.</summary>
    public int Figures { get; private set; }

    public async Task Begin(string name, string what)
    {
        await Say($"\n## {name}\n\n{what}\n");
        headed = false;
    }

    private bool headed;

    public async Task Add(Line line)
    {
        Green &= line.Gate.Green;
        Figures++;
        if (!headed)
            await Say(Line.Header);
        headed = true;
        await Say(line.ToString());
    }

    /// <summary>A table of figures without a ratio.</summary>
    public Task Table(string table)
    {
        Figures++;
        return Note(table);
    }

    public async Task Note(string note)
    {
        headed = false;
        await Say($"\n{note}\n");
    }

    /// <summary>A gate that stands by itself.</summary>
    public Task Add(Gate gate)
    {
        Green &= gate.Green;
        Figures++;
        return Note(gate.ToString());
    }

    /// <summary>A peer that this machine does not have.</summary>
    public Task Missing(string program, string what)
    {
        missing.Add($"{program}: {what}");
        return Note($"Missing: `{program}`; {what} was not compared. It comes with PostgreSQL's own packages.");
    }

    public async Task Write(string path, string machine, TimeSpan took, CancellationToken cancellationToken)
    {
        var all = new StringBuilder("# What `./bench/run` measured\n\n");
        all.Append(CultureInfo.InvariantCulture, $"{machine}\n\n");
        all.Append("A ratio is our time over the peer's for the same work, in pairs that ran in turn (A B A B) after a warm-up: what else the machine did fell ");
        all.Append("on both. Absolute times are of this machine at that hour, and mean nothing elsewhere. A figure counts only with a green gate.\n");
        all.Append(text);
        if (missing.Count > 0)
            all.Append("\n## Not compared\n\n").AppendJoin('\n', missing.Select(one => $"- {one}")).Append('\n');
        all.Append(CultureInfo.InvariantCulture, $"\nAll of it took {took.TotalMinutes:0.0} minutes.\n");
        await File.WriteAllTextAsync(path, all.ToString(), cancellationToken);
    }

    private async Task Say(string line)
    {
        text.Append(line).Append('\n');
        await to.WriteLineAsync(line);
        await to.FlushAsync();
    }
}
