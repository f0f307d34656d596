using System.Text;

namespace Kintsugi.Bench.Reporting;

/// <summary>Prints what was measured as it comes, and keeps what belongs to one benchmark.</summary>
internal sealed class Report(TextWriter to)
{
    private readonly StringBuilder section = new();

    public bool Green { get; private set; } = true;

    /// <summary>Figures that were held against something, or stand by themselves; a run without any has shown nothing.</summary>
    public int Figures { get; private set; }

    /// <summary>What was said since the last beginning.</summary>
    public string Section => section.ToString();

    public async Task Begin(string name, string what)
    {
        section.Clear();
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
    public Task Missing(string program, string what) =>
        Note($"Missing: `{program}`; {what} was not compared. It comes with PostgreSQL's own packages.");

    private async Task Say(string line)
    {
        section.Append(line).Append('\n');
        await to.WriteLineAsync(line);
        await to.FlushAsync();
    }
}
