using Kintsugi.Bench.Measuring;
using Kintsugi.Bench.Reporting;

namespace Kintsugi.Bench.Jobs;

/// <summary>How much memory our program takes, whatever there is to look at.</summary>
internal sealed class MemoryBenchmark : IBenchmark
{
    private const long Limit = 64L << 20;

    public string Name => "memory";
    public string What => "The peak of our program's memory: a standard check of some data and of twice as much, and of orphans without end. "
        + "How it grows with the number of tables is under scale.";

    public async Task Run(Room room, Report report, CancellationToken cancellationToken)
    {
        await using var cluster = await room.NewCluster(cancellationToken);
        var lines = new List<string> { "| what was checked | size | time | peak memory | G15 ≤ 64 MiB |", "|---|---|---|---|---|" };
        var peaks = new List<long>();
        // 210 bytes a row with its entry.
        foreach (var rows in new[] { 1, 2 }.Select(times => times * room.Size(1_000_000, 20_000_000)))
        {
            var database = $"rows{rows}";
            await Room.Fill(cluster, database, ["CREATE TABLE big (id bigint PRIMARY KEY, body text NOT NULL)",
                $"INSERT INTO big SELECT g, repeat(md5(g::text), 4) FROM generate_series(1, {rows}) g"], cancellationToken);
            peaks.Add(await Look($"{rows:N0} rows, sound", database, 0));
            await cluster.Execute("postgres", $"DROP DATABASE {database}", cancellationToken);
        }
        var orphans = room.Size(500_000, 10_000_000);
        await Room.Fill(cluster, "orphans", ["CREATE TABLE parents (id int PRIMARY KEY)", "CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES parents)",
            "SET session_replication_role = replica", $"INSERT INTO children SELECT g, g FROM generate_series(1, {orphans}) g"], cancellationToken);
        await Look($"{orphans:N0} orphans", "orphans", 2);
        await report.Note(string.Join('\n', lines));
        await report.Add(new Gate(peaks[1] <= peaks[0] * 1.15, $"twice the data, {(double)peaks[1] / peaks[0]:0.00} times the memory"));

        async Task<long> Look(string what, string database, int exit)
        {
            var size = await cluster.Scalar<long>(database, "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())", cancellationToken);
            var run = (await room.Ours(cluster, cancellationToken, "check", "-d", database, "-q")).Require(exit);
            lines.Add($"| {what} | {size >> 20:N0} MiB | {Line.Time(run.Wall)} | {run.PeakBytes >> 20} MiB | {(run.PeakBytes <= Limit ? "reached" : "**missed**")} |");
            return run.PeakBytes;
        }
    }
}
