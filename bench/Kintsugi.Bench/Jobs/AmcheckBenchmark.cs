using Kintsugi.Bench.Measuring;
using Kintsugi.Bench.Reporting;
using Kintsugi.Lab;
using Kintsugi.Lab.Damage;

namespace Kintsugi.Bench.Jobs;

/// <summary>Every heap and every btree, by amcheck in the server and by our own reading of the files.</summary>
internal sealed class AmcheckBenchmark : IBenchmark
{
    /// <summary>Damage that both can see: an entry that is missing, another order, a row's header.</summary>
    private static readonly string[] Injured = ["btree-entry-missing", "opclass-order-changed", "heap-tuple-header"];

    public string Name => "amcheck";
    public string What => "Heaps and btrees with every row's entry (`--heapallindexed`), against pg_amcheck; then the entries alone, from the files.";

    public async Task Run(Room room, Report report, CancellationToken cancellationToken)
    {
        if (room.Peer("pg_amcheck") is not { } program)
        {
            await report.Missing("pg_amcheck", "heap and btree verification");
            return;
        }
        await using var cluster = await Pages.Cluster(room, room.Size(600_000, 6_000_000), cancellationToken);
        string[] peerCommand = [program, "-d", Pages.Database, "-j", "2", "--heapallindexed"];
        var gate = await SameFindings(room, program, cancellationToken);
        await Compare("heap and btree, 2 sessions", "G4", 1.05, "--only", "heap", "--only", "btree");
        await Compare("places of all index entries, raw pages beside the server", "", null, "--only", "index-entries");

        async Task Compare(string work, string goal, double? limit, params string[] checks)
        {
            Run? ours = null;
            var pairs = await Pairs.Of(
                async () => ours = (await room.Ours(cluster, cancellationToken, ["check", "-d", Pages.Database, "-q", "-j", "2", "--format", "json", .. checks]))
                    .Require(0),
                async () => (await room.Measure(cluster, peerCommand, cancellationToken)).Require(0));
            await report.Add(new Line(work, "pg_amcheck --heapallindexed", goal, limit, pairs,
                gate & Gate.Equal("unchecked", Said.Verdicts(ours!, "unchecked"), 0)));
        }
    }

    private static async Task<Gate> SameFindings(Room room, string program, CancellationToken cancellationToken)
    {
        await using var cluster = await room.NewCluster(cancellationToken);
        await SampleDatabase.Load(cluster, SampleDatabase.Name, SampleDatabase.ForTests, cancellationToken);
        await cluster.CreateExtensions(SampleDatabase.Name, cancellationToken);
        var injuries = Injuries.All.Where(injury => Injured.Contains(injury.Name) && injury.Oldest <= cluster.Major).ToList();
        if (injuries.Count < Injured.Length)
            throw new BenchException($"of the injuries {string.Join(", ", Injured)} only {injuries.Count} are known for PostgreSQL {cluster.Major}");
        await Injury.Inflict(cluster, SampleDatabase.Name, injuries, cancellationToken);
        // The files tell of what was finished at the last checkpoint.
        await cluster.Execute(SampleDatabase.Name, "CHECKPOINT", cancellationToken);
        var ours = await room.Ours(cluster, cancellationToken, "check", "-d", SampleDatabase.Name, "-q", "--format", "json", "--only", "heap", "--only", "btree");
        var entries = await room.Ours(cluster, cancellationToken, "check", "-d", SampleDatabase.Name, "-q", "--format", "json", "--only", "index-entries");
        var peer = await room.Measure(cluster, [program, "-d", SampleDatabase.Name, "--heapallindexed"], cancellationToken);
        // An index of an accused table is left unexamined, and said to be: what it would be held against is not proven.
        return Gate.Same("accused relations, or unexamined for an accused table", [.. Said.Accused(ours), .. Said.LeftForTheirTable(ours)], Said.AccusedByAmcheck(peer.Require(2)))
            & new Gate(Said.Accused(entries).Contains("public.movies_pkey"), "the missing entry is seen in the files");
    }
}
