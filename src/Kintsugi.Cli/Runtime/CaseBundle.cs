using System.Globalization;
using Kintsugi.Cli.Output;
using Kintsugi.Pages.Description;
using Kintsugi.Postgres.Forensics;

namespace Kintsugi.Cli.Runtime;

/// <summary>A directory that fills with what belongs to a case; closed to everybody else from the first moment.</summary>
internal sealed class CaseBundle
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>With their neighbours 384 pages, 3 MB: more of one accident tell nothing new.</summary>
    private const int MostPages = 128;

    private readonly List<string> notes = [];

    private CaseBundle(string directory) => Directory = directory;

    public string Directory { get; }
    public int Files { get; private set; }

    /// <exception cref="UsageException">It exists already, or cannot be made.</exception>
    public static CaseBundle Begin(string path)
    {
        try
        {
            if (Path.Exists(path))
                throw new UsageException($"{path} exists already: name another directory with --out");
            System.IO.Directory.CreateDirectory(path, OwnerOnly);
            return new CaseBundle(Path.GetFullPath(path));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{path} cannot be made: {problem.Message}");
        }
    }

    public ValueTask Case(CaseRow row, IReadOnlyList<Fact> facts, CancellationToken cancellationToken) =>
        Write("case.json", CasesOutput.Json(row, facts), cancellationToken);

    /// <summary>What the server says of itself, and its control file as it is on disk.</summary>
    public async ValueTask Server(Patient patient, CancellationToken cancellationToken)
    {
        foreach (var (file, text) in await ServerRecord.Take(patient, cancellationToken))
            await Write(Path.Combine("server", file), text, cancellationToken);
        await Write(Path.Combine("server", "machine.txt"), string.Create(CultureInfo.InvariantCulture,
            $"kintsugi {typeof(CaseBundle).Assembly.GetName().Version}\n{System.Runtime.InteropServices.RuntimeInformation.OSDescription}\n"
            + $"{System.Runtime.InteropServices.RuntimeInformation.OSArchitecture}, {Environment.ProcessorCount} processors (where kintsugi runs)"), cancellationToken);
        if (patient.Files is not { } files)
        {
            notes.Add("pg_control is not here: the files of the server cannot be read from this machine");
            return;
        }
        var control = new byte[8192];
        var read = await files.Read("global/pg_control", 0, control, cancellationToken);
        await Write(Path.Combine("server", "pg_control"), control.AsMemory(0, read), cancellationToken);
    }

    /// <summary>Each page that a finding names, with the one before and the one behind it, raw and taken apart.</summary>
    public async ValueTask Pages(IReadOnlyList<Finding> findings, Patient patient, CliContext context, CancellationToken cancellationToken)
    {
        var places = findings.Where(finding => finding.Target.Block is not null).Select(finding => finding.Target)
            .DistinctBy(target => (target.ObjectSchema, target.Object, target.Fork, target.Block)).ToList();
        if (places.Count > MostPages)
            notes.Add($"only the first {MostPages} of {places.Count} damaged pages are here");
        foreach (var target in places.Take(MostPages))
        {
            if (patient.Relations.Find(target.ObjectSchema ?? target.Schema, target.Object ?? target.Relation) is not { } relation)
            {
                notes.Add($"{target.Name} is not in the catalog any more");
                continue;
            }
            for (var block = Math.Max(0, target.Block!.Value - 1); block <= target.Block.Value + 1; block++)
                await Page(relation, target.Fork ?? "main", block, block == target.Block, patient, context, cancellationToken);
        }
    }

    public async ValueTask End(DateTimeOffset now, CancellationToken cancellationToken) => await Write("README.txt", $"""
        What Kintsugi gathered about a case at {now.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC.

        case.json   every fact of the case: evidence, what was tried, plans, the snapshot's id
        server/     versions, settings, control file, WAL position, statistics, the log's end and its lines about damage
        pages/      damaged pages and their neighbours as they are on disk, and taken apart (kintsugi page --file FILE 0 does it again)

        Passwords were taken out. Pages, samples and plans hold values of rows.
        {string.Join('\n', notes)}
        """, cancellationToken);

    private async ValueTask Page(
        Relation relation, string fork, long block, bool damaged, Patient patient, CliContext context, CancellationToken cancellationToken)
    {
        var name = string.Concat($"{relation.Schema}.{relation.Name}".Select(letter => char.IsLetterOrDigit(letter) || letter is '.' or '_' ? letter : '-'))
            + string.Create(CultureInfo.InvariantCulture, $"-{relation.Oid}-{fork}-{block}");
        try
        {
            var page = await PageFetch.OfRelation(relation, block, PageFetch.ForkNumber(fork), patient, cancellationToken);
            await Write(Path.Combine("pages", $"{name}.page"), page.Bytes, cancellationToken);
            using var text = new StringWriter(CultureInfo.InvariantCulture);
            await PageOutput.Text(context with { Out = text, Colour = false }, page, PageDescriber.Describe(page.Bytes, page.Subject), hex: true);
            await Write(Path.Combine("pages", $"{name}.txt"), text.ToString(), cancellationToken);
        }
        catch (Exception problem) when (!damaged && problem is UsageException)
        {
            // The first and the last page of a file have one neighbour.
        }
        catch (Exception problem) when (problem is UsageException or PatientException or IOException && !cancellationToken.IsCancellationRequested)
        {
            notes.Add($"block {block} of {relation.Schema}.{relation.Name} ({fork}): {problem.Message}");
        }
    }

    private ValueTask Write(string name, string text, CancellationToken cancellationToken) =>
        Write(name, System.Text.Encoding.UTF8.GetBytes(text + "\n"), cancellationToken);

    private async ValueTask Write(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var path = Path.Combine(Directory, name);
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(path)!, OwnerOnly);
        await using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        await file.WriteAsync(bytes, cancellationToken);
        Files++;
    }
}
