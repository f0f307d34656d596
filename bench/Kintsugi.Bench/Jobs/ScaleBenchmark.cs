using Kintsugi.Bench.Measuring;
using Kintsugi.Bench.Reporting;
using Kintsugi.Lab;

namespace Kintsugi.Bench.Jobs;

/// <summary>How time and memory grow with the number of tables.</summary>
internal sealed class ScaleBenchmark : IBenchmark
{
    /// <summary>Tables made in one transaction: each takes a few locks, and the server has some thousands.</summary>
    private const int AtOnce = 500;

    /// <summary>Beyond it the pairs would take ten minutes: there the standard check alone is measured, for the curve.</summary>
    private const int MostPaired = 10_000;

    public string Name => "scale";
    public string What => "Small tables with a primary key and 20 rows each: the whole standard check, and what pg_amcheck does there too.";

    public async Task Run(Room room, Report report, CancellationToken cancellationToken)
    {
        await using var cluster = await room.NewCluster(cancellationToken);
        var standard = new List<(double X, double Y)>();
        var (same, amcheck) = (new List<(double X, double Y)>(), new List<(double X, double Y)>());
        var table = new List<string> { "| tables | standard check | processor time, ours and the server's | per table | peak memory |", "|---|---|---|---|---|" };
        foreach (var tables in room.Quick ? new[] { 10, 1_000, 10_000 } : [10, 1_000, 10_000, 50_000])
        {
            var database = $"many{tables}";
            await Room.Fill(cluster, database, Statements(tables), cancellationToken);
            var run = (await room.Ours(cluster, cancellationToken, "check", "-d", database, "-q")).Require(0);
            standard.Add((tables, run.Wall.TotalSeconds));
            table.Add($"| {tables:N0} | {Line.Time(run.Wall)} | {Line.Time(run.Cpu)} | {run.Cpu.TotalMilliseconds / tables:0.0} ms | {run.PeakBytes >> 20} MiB |");
            if (tables > MostPaired || room.Peer("pg_amcheck") is not { } program)
                continue;
            Run? ours = null;
            var pairs = await Pairs.Of(
                async () => ours = (await room.Ours(cluster, cancellationToken,
                    "check", "-d", database, "-q", "--format", "json", "--only", "heap", "--only", "btree")).Require(0),
                async () => (await room.Measure(cluster, [program, "-d", database, "--heapallindexed"], cancellationToken)).Require(0));
            same.Add((tables, Pairs.MedianWall(pairs.Ours).TotalSeconds));
            amcheck.Add((tables, Pairs.MedianWall(pairs.Peer).TotalSeconds));
            await report.Add(new Line($"heap and btree of {tables:N0} tables", "pg_amcheck --heapallindexed", "G4", 1.05, pairs,
                new Gate(Said.Verdicts(ours!, "unchecked") == 0 && Said.Verdicts(ours!, "sound") >= 2 * tables, "both find nothing, every table and index sound")));
        }
        if (amcheck.Count == 0)
            await report.Missing("pg_amcheck", "the same work with many tables");
        await report.Note(string.Join('\n', table) + "\n\n![time over tables](scale.svg)");
        var curve = new Curve("Time over the number of tables", "tables", "seconds",
            [.. new[] { ("standard check", standard), ("heap, btree: ours", same), ("pg_amcheck", amcheck) }
                .Where(series => series.Item2.Count > 0).Select(series => (series.Item1, (IReadOnlyList<(double, double)>)series.Item2))]);
        await File.WriteAllTextAsync(Path.Combine(room.Folder, "scale.svg"), curve.ToSvg(), cancellationToken);
    }

    private static IEnumerable<string> Statements(int tables)
    {
        for (var from = 1; from <= tables; from += AtOnce)
            yield return $"""
                DO $$ BEGIN FOR i IN {from}..{Math.Min(from + AtOnce - 1, tables)} LOOP
                  EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, name text, born date)', i);
                  EXECUTE format('INSERT INTO t%s SELECT g, ''name '' || g, date ''2020-01-01'' + g FROM generate_series(1, 20) g', i);
                END LOOP; END $$
                """;
    }
}
