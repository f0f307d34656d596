using Kintsugi.Bench.Measuring;
using Kintsugi.Bench.Reporting;
using Kintsugi.Lab;

namespace Kintsugi.Bench.Jobs;

/// <summary>Copies before a repair: of the one relation that is broken, and of the whole cluster.</summary>
internal sealed class SnapshotBenchmark : IBenchmark
{
    public string Name => "snapshot";
    public string What => "A copy before a repair, with checksums verified, hashed and fsynced: of one index instead of everything, and of the whole running cluster.";

    public async Task Run(Room room, Report report, CancellationToken cancellationToken)
    {
        await using var cluster = await Pages.Cluster(room, room.Size(1_600_000, 12_000_000), cancellationToken);
        var target = Path.Combine(room.Laboratory.Root, "copies");
        var copy = new[] { "sh", "-c", "cp -a \"$1\" \"$2\" && sync -f \"$2\"", "sh", cluster.DataDirectory, Path.Combine(target, "copy") };
        await Compare("one index instead of all", "cp -a of everything + sync", "G11", 0.05, ["-i", "public.t1_pkey"], copy);
        await Compare("the whole cluster", "cp -a + sync (of a running server: torn)", "G12", 1.10, [], copy);
        if (room.Peer("pg_basebackup") is { } program)
            await Compare("the whole cluster", "pg_basebackup -c fast", "G12", 0.40, [], program, "-c", "fast", "-D", Path.Combine(target, "backup"));
        else
            await report.Missing("pg_basebackup", "the copy of a running cluster");

        async Task Compare(string work, string peer, string goal, double limit, string[] selection, params string[] command)
        {
            Run? ours = null;
            var gate = new Gate(true, "");
            var pairs = await Pairs.Of(Snapshot, async () =>
            {
                Directory.CreateDirectory(target);
                var run = (await room.Measure(cluster, command, cancellationToken)).Require(0);
                Directory.Delete(target, recursive: true);
                return run;
            });
            await report.Add(new Line(work, peer, goal, limit, pairs, gate));

            async Task<Run> Snapshot()
            {
                ours = (await room.Ours(cluster, cancellationToken, ["snapshots", "create", "-d", Pages.Database, .. selection])).Require(0);
                var id = Said.Snapshot(ours);
                var verified = await room.Ours(cluster, cancellationToken, "snapshots", "verify", id);
                gate = new Gate((gate.Green || gate.What.Length == 0) && verified.ExitCode == 0, "every byte of every copy reads as it was hashed");
                Directory.Delete(Path.Combine(room.Laboratory.Root, "state", "snapshots", id), recursive: true);
                return ours;
            }
        }
    }
}
