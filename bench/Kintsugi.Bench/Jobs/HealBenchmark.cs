using Kintsugi.Bench.Measuring;
using Kintsugi.Bench.Reporting;
using Kintsugi.Lab;

namespace Kintsugi.Bench.Jobs;

/// <summary>From the sight of damage to its proof of being gone.</summary>
internal sealed class HealBenchmark : IBenchmark
{
    private const string Index = "t1_label_idx";

    public string Name => "heal";
    public string What => "`kintsugi heal --yes` on an index that lost an entry, against the bare commands by hand: bt_index_check, cp of its file, "
        + "REINDEX INDEX CONCURRENTLY, bt_index_check. By hand nobody proves the table first, and nothing is recorded.";

    public async Task Run(Room room, Report report, CancellationToken cancellationToken)
    {
        if (room.Peer("psql") is not { } psql)
        {
            await report.Missing("psql", "healing by hand");
            return;
        }
        await using var cluster = await Pages.Cluster(room, room.Size(1_000_000, 7_000_000), cancellationToken);
        var size = await cluster.Scalar<long>(Pages.Database, $"SELECT pg_relation_size('{Index}')", cancellationToken);
        var gate = new Gate(true, "each time the damage was seen before and gone after");
        var pairs = await Pairs.Of(Ours, ByHand);
        await report.Add(new Line($"detect, save, rebuild, prove: a btree of {size >> 20} MiB", "the four commands by hand", "G13", 1.10, pairs, gate));

        async Task<Run> Ours()
        {
            await Injure();
            // Exit 1: amcheck accuses.
            (await Psql(Check)).Require(1);
            var run = (await room.Ours(cluster, cancellationToken, "heal", "--yes", "-d", Pages.Database, "-q", "--only", "btree", "-i", $"public.{Index}")).Require(0);
            gate = gate with { Green = gate.Green && (await Psql(Check)).ExitCode == 0 };
            return run;
        }

        async Task<Run> ByHand()
        {
            await Injure();
            var file = await cluster.Scalar<string>(Pages.Database, $"SELECT pg_relation_filepath('{Index}')", cancellationToken);
            var copy = Path.Combine(room.Laboratory.Root, "by-hand");
            var sight = (await Psql(Check)).Require(1);
            var save = (await room.Measure(cluster, ["sh", "-c", "cp \"$1\" \"$2\" && sync \"$2\"", "sh", Path.Combine(cluster.DataDirectory, file!), copy], cancellationToken))
                .Require(0);
            var rebuild = (await Psql($"REINDEX INDEX CONCURRENTLY {Index}")).Require(0);
            var proof = (await Psql(Check)).Require(0);
            File.Delete(copy);
            return sight + save + rebuild + proof;
        }

        Task Injure() => LoseEntry.From(cluster, Pages.Database, "t1", Index, "id", "id = 777 OR id = -777", cancellationToken);

        Task<Run> Psql(string sql) => room.Measure(cluster, [psql, "-XAtq", "-d", Pages.Database, "-c", sql], cancellationToken);
    }

    private const string Check = $"SELECT bt_index_check('{Index}', true)";
}
