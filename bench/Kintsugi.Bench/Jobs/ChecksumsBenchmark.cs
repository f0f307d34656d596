using Kintsugi.Bench.Measuring;
using Kintsugi.Bench.Reporting;
using Kintsugi.Lab;

namespace Kintsugi.Bench.Jobs;

/// <summary>Every page of a stopped cluster is read and its checksum computed.</summary>
internal sealed class ChecksumsBenchmark : IBenchmark
{
    private const int Flips = 250, PageSize = 8192;

    public string Name => "checksums";
    public string What => "`kintsugi checksums verify` against `pg_checksums --check`, on the same stopped data directory in the page cache.";

    public async Task Run(Room room, Report report, CancellationToken cancellationToken)
    {
        if (room.Peer("pg_checksums") is not { } program)
        {
            await report.Missing("pg_checksums", "verifying checksums");
            return;
        }
        await using var cluster = await Pages.Cluster(room, room.Size(4_000_000, 16_000_000), cancellationToken);
        await cluster.Stop(StopMode.Fast, cancellationToken);
        var gate = await SameFlips(room, cluster, program, cancellationToken);
        foreach (var (jobs, goal, limit) in new[] { (1, "G1", 0.55), (2, "G2", 0.30) })
        {
            Run? ours = null, peer = null;
            var pairs = await Pairs.Of(
                async () => ours = (await room.Ours(cluster, cancellationToken, "checksums", "verify", "-D", cluster.DataDirectory, "-q",
                    "-j", $"{jobs}", "--format", "json")).Require(0),
                async () => peer = (await room.Measure(cluster, [program, "--check", "-D", cluster.DataDirectory], cancellationToken)).Require(0));
            using var said = Said.JsonOf(ours!);
            var blocks = said.RootElement.GetProperty("blocks").GetInt64();
            await report.Add(new Line($"verify {blocks * PageSize >> 20} MiB, {jobs} reader{(jobs > 1 ? "s" : "")}", "pg_checksums", goal, limit, pairs,
                gate & Gate.Equal("blocks", blocks, Blocks(peer!))));
        }
    }

    /// <summary>Flips one bit in each of many pages, asks both, and puts the bytes back.</summary>
    private static async Task<Gate> SameFlips(Room room, ThrowawayCluster cluster, string program, CancellationToken cancellationToken)
    {
        var random = new Random(20_26);
        var files = Directory.EnumerateFiles(Path.Combine(cluster.DataDirectory, "base"), "*", SearchOption.AllDirectories)
            .Where(path => long.TryParse(Path.GetFileName(path), out _) && new FileInfo(path).Length >= PageSize).Order(StringComparer.Ordinal).ToList();
        var before = new List<(string File, long At, byte Byte)>();
        while (before.Count < Flips)
        {
            var file = files[random.Next(files.Count)];
            // The first 24 bytes are the header: a flip there may turn a page into one that neither program verifies.
            var block = random.NextInt64(new FileInfo(file).Length / PageSize);
            if (before.All(flip => flip.File != file || flip.At / PageSize != block))
                before.Add(Flip(file, block * PageSize + random.Next(24, PageSize), (byte)(1 << random.Next(8))));
        }
        var ours = await room.Ours(cluster, cancellationToken, "checksums", "verify", "-D", cluster.DataDirectory, "-q", "--format", "json");
        var peer = await room.Measure(cluster, [program, "--check", "-D", cluster.DataDirectory], cancellationToken);
        foreach (var (file, at, value) in before)
            Write(file, at, value);
        var same = Gate.Same("flipped pages", Said.WrongPages(ours.Require(2)), Said.WrongPagesByPeer(peer.Require(1)));
        return same & Gate.Equal("flips", Said.WrongPages(ours).Count, Flips);
    }

    private static (string, long, byte) Flip(string file, long at, byte bit)
    {
        using var stream = File.Open(file, FileMode.Open, FileAccess.ReadWrite);
        stream.Position = at;
        var value = (byte)stream.ReadByte();
        stream.Position = at;
        stream.WriteByte((byte)(value ^ bit));
        return (file, at, value);
    }

    private static void Write(string file, long at, byte value)
    {
        using var stream = File.OpenWrite(file);
        stream.Position = at;
        stream.WriteByte(value);
    }

    private static long Blocks(Run run)
    {
        var line = run.Output.Split('\n').First(text => text.StartsWith("Blocks scanned:", StringComparison.Ordinal));
        return long.Parse(line["Blocks scanned:".Length..].Trim());
    }
}
