using System.Globalization;
using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Postgres.Files.Offline;

namespace Kintsugi.Postgres.Repairs.Cluster;

/// <summary>The transactions that row versions name, in every heap page of a stopped cluster, whether the catalogs know its file or not.</summary>
internal sealed class HeapWalk(DataDirectory directory)
{
    private const int PagesAtOnce = 64;

    public delegate void Visit(TransactionTrace trace, string file, long block);

    /// <summary>Pages that could not be believed, and files that are not there (a tablespace whose link is lost): they may name more transactions.</summary>
    public List<string> Unread { get; } = [];

    /// <summary>The first segment of the relation's file that this one belongs to.</summary>
    public static string First(string file) => Path.GetDirectoryName(file) + "/" + Path.GetFileName(file).Split('.')[0];

    public async ValueTask Run(Visit visit, CancellationToken cancellationToken)
    {
        var files = directory.Files;
        var homes = files.List("base").Where(IsFolder).Select(entry => $"base/{entry}").Append("global/")
            .Concat(files.List("pg_tblspc").SelectMany(link => files.List($"pg_tblspc/{link.TrimEnd('/')}").Where(IsFolder)
                .SelectMany(version => files.List($"pg_tblspc/{link.TrimEnd('/')}/{version}").Where(IsFolder).Select(home => $"pg_tblspc/{link.TrimEnd('/')}/{version}{home}"))));
        foreach (var home in homes)
            foreach (var name in files.List(home))
                if (name.Split('.') is [_, ..] parts && parts.Length <= 2 && parts.All(part => uint.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
                    await Walk(home + name, parts.Length == 2 ? uint.Parse(parts[1], CultureInfo.InvariantCulture) : 0, visit, cancellationToken);
        await LookForMissing(cancellationToken);
    }

    private async ValueTask LookForMissing(CancellationToken cancellationToken)
    {
        var catalog = new RawCatalog(directory);
        foreach (var database in await catalog.Databases(cancellationToken))
            foreach (var relation in await catalog.Relations(database, cancellationToken))
                if (relation is { HasHeap: true, Persistence: not 't', Path: { } path } && !directory.Files.Exists(path))
                    Unread.Add($"{relation.Schema}.{relation.Name} in {path}, which is missing");
    }

    private async ValueTask Walk(string file, uint part, Visit visit, CancellationToken cancellationToken)
    {
        using var pages = ReadBuffer.Rent(PagesAtOnce * PageFormat.Size);
        var traces = new List<TransactionTrace>();
        for (var block = 0L; ;)
        {
            var whole = await directory.Files.Read(file, block * PageFormat.Size, pages.Bytes, cancellationToken) / PageFormat.Size;
            for (var i = 0; i < whole; i++, block++)
            {
                traces.Clear();
                if (!Read(pages.Bytes.Span.Slice(i * PageFormat.Size, PageFormat.Size), (uint)(((long)part * PageFormat.BlocksPerSegment) + block), traces))
                    Unread.Add($"block {block} of {file}");
                foreach (var trace in traces)
                    visit(trace, file, block);
            }
            if (whole < PagesAtOnce)
                return;
        }
    }

    /// <summary>Pages of indexes and sequences have a special space, pages of heaps have none.</summary>
    private bool Read(ReadOnlySpan<byte> page, uint block, List<TransactionTrace> traces)
    {
        if (PageHeader.IsAllZero(page))
            return true;
        var header = PageHeader.Read(page);
        if (!header.IsPossible || (directory.Control!.ChecksumVersion != 0 && !PageChecksum.Matches(page, block)))
            return false;
        return header.Special != PageFormat.Size || TransactionTrace.Read(page, traces);
    }

    private static bool IsFolder(string entry) => entry.EndsWith('/');
}
