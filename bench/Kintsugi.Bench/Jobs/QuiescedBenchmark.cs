using Kintsugi.Bench.Measuring;
using Kintsugi.Bench.Reporting;
using Kintsugi.Lab;
using Kintsugi.Pages;
using Kintsugi.Pages.Indexes;

namespace Kintsugi.Bench.Jobs;

/// <summary>Every row against its btree entries, in files that nobody writes: with a server by amcheck, without one by ours.</summary>
internal sealed class QuiescedBenchmark : IBenchmark
{
    private const int Tables = 8;

    public string Name => "quiesced";
    public string What => "`kintsugi check -D` of a stopped cluster's files, every row against every btree entry, against pg_amcheck --heapallindexed on the same data with its server.";

    public async Task Run(Room room, Report report, CancellationToken cancellationToken)
    {
        if (room.Peer("pg_amcheck") is not { } program)
        {
            await report.Missing("pg_amcheck", "btrees of quiesced files");
            return;
        }
        await using var cluster = await Pages.Cluster(room, room.Size(1_500_000, 8_000_000), cancellationToken);
        var indexes = new Dictionary<string, string>();
        for (var table = 1; table <= Tables; table++)
            indexes[$"t{table}_label_idx"] = (await cluster.Scalar<string>(Pages.Database, $"SELECT pg_catalog.pg_relation_filepath('t{table}_label_idx')", cancellationToken))!;
        await cluster.Stop(StopMode.Fast, cancellationToken);
        await using var copy = await cluster.Copy(cancellationToken);
        await cluster.Start(cancellationToken);
        Task<Run> Ours() => room.Ours(cluster, cancellationToken, "check", "-D", copy.DataDirectory, "-q", "-j", "2", "--format", "json", "--only", "cross-check");

        Run? ours = null;
        var pairs = await Pairs.Of(async () => ours = (await Ours()).Require(0),
            async () => (await room.Measure(cluster, [program, "-d", Pages.Database, "-j", "2", "--heapallindexed"], cancellationToken)).Require(0));
        var gate = Gate.Equal("accused in sound files", Said.Accused(ours!).Count, 0) & Gate.Equal("unchecked", Said.Verdicts(ours!, "unchecked"), 0);
        foreach (var file in indexes.Values)
            Wound(Path.Combine(copy.DataDirectory, file));
        gate &= Gate.Same("indexes with one flipped bit in one entry", Said.Accused((await Ours()).Require(2)), [.. indexes.Keys.Select(name => $"public.{name}")]);
        await report.Add(new Line("every row against its btree entries, quiesced files, 2 readers", "pg_amcheck --heapallindexed, its server", "G6", 0.25, pairs, gate));
    }

    /// <summary>Flips one bit of the key or of the place in one leaf entry, and gives the page the checksum that belongs to it.</summary>
    private static void Wound(string file)
    {
        var random = new Random(20_26);
        using var stream = File.Open(file, FileMode.Open, FileAccess.ReadWrite);
        var (page, content) = (new byte[PageFormat.Size], new IndexPageContent());
        uint block;
        do
        {
            block = (uint)random.NextInt64(1, stream.Length / PageFormat.Size);
            stream.Position = block * (long)PageFormat.Size;
            stream.ReadExactly(page);
            IndexTids.Read(IndexKind.Btree, page, block, content);
        }
        while (content.Role != IndexPageRole.Leaf || content.Rows.Count == 0);
        var line = LinePointer.Read(page, content.Rows[random.Next(content.Rows.Count)].Item);
        // Behind the header of eight bytes: one bit of a letter of the key. A bit of the tid would do as well, and is in the tests.
        page[line.Offset + 12] ^= 1;
        PageChecksum.Seal(page, block);
        stream.Position = block * (long)PageFormat.Size;
        stream.Write(page);
    }
}
