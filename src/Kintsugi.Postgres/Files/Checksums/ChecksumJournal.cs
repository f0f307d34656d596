using Kintsugi.Pages.Files;

namespace Kintsugi.Postgres.Files.Checksums;

/// <summary>
/// Which files are through, beside the data directory: a pass that was killed goes on behind them. It holds only for this very
/// shutdown: a server that ran in between changes pages without keeping their checksums.
/// </summary>
internal sealed class ChecksumJournal : IDisposable
{
    private readonly string path;
    private readonly Lock gate = new();
    private StreamWriter? writer;

    private ChecksumJournal(string path, HashSet<string> done, StreamWriter writer)
    {
        this.path = path;
        this.writer = writer;
        Done = done;
    }

    public IReadOnlySet<string> Done { get; }

    public static string PathFor(string directory) => directory.TrimEnd('/') + ".kintsugi-checksums";

    public static ChecksumJournal Open(string directory, ControlFile control)
    {
        var path = PathFor(directory);
        var shutdown = $"{control.SystemIdentifier} {control.Checkpoint:X} {control.Time} {control.StoredCrc:X8}";
        var lines = File.Exists(path) ? File.ReadAllLines(path) : [];
        // The last line may be torn: it ends with the mark only when it is whole.
        var done = lines.Length > 0 && lines[0] == shutdown
            ? lines.Skip(1).Where(line => line.EndsWith(" done", StringComparison.Ordinal)).Select(line => line[..^5]).ToHashSet()
            : [];
        var writer = new StreamWriter(path, append: done.Count > 0);
        if (done.Count == 0)
            writer.WriteLine(shutdown);
        else
            writer.WriteLine();
        writer.Flush();
        return new ChecksumJournal(path, done, writer);
    }

    public void Add(string file)
    {
        lock (gate)
        {
            writer!.WriteLine($"{file} done");
            writer.Flush();
        }
    }

    public void Remove()
    {
        Dispose();
        File.Delete(path);
    }

    public void Dispose()
    {
        writer?.Dispose();
        writer = null;
    }
}
