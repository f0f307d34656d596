using Kintsugi.Bench.Measuring;
using Kintsugi.Bench.Reporting;

namespace Kintsugi.Bench.Jobs;

/// <summary>The nightly check of a database of which little has changed since the night before.</summary>
internal sealed class RecheckBenchmark : IBenchmark
{
    private const string Database = "nights";
    private const int Tables = 60;

    /// <summary>All files with their checksums, then rows and entries of what has changed.</summary>
    private static readonly string[] Ours = ["check", "-d", Database, "-q", "-j", "2", "--incremental", "--format", "json", "--only", "pages", "--only", "heap", "--only", "btree"];

    public string Name => "recheck";
    public string What => $"Two of {Tables} tables were written since the last check: every page with its checksum, then heaps and btrees of what has changed "
        + "(`check --incremental`, with an entry for every row), against pg_amcheck of everything (without: its default).";

    public async Task Run(Room room, Report report, CancellationToken cancellationToken)
    {
        if (room.Peer("pg_amcheck") is not { } program)
        {
            await report.Missing("pg_amcheck", "the check of the night after");
            return;
        }
        await using var cluster = await room.NewCluster(cancellationToken);
        await Room.Fill(cluster, Database, Statements(room.Size(40_000, 200_000)), cancellationToken);
        async Task<Run> Again()
        {
            // The control file knows whole seconds: within the one in which the last proof ended a checkpoint proves nothing.
            await Room.Load(cluster, Database, ["UPDATE t7 SET kind = kind + 1 WHERE id < 100", "UPDATE t31 SET kind = kind + 1 WHERE id < 100",
                "SELECT pg_catalog.pg_sleep(1.1)", "CHECKPOINT"], cancellationToken);
            return await room.Ours(cluster, cancellationToken, Ours);
        }
        // Lays the ground; what was changed before the next checkpoint is then known.
        (await Again()).Require(0);
        Run? last = null;
        var pairs = await Pairs.Of(async () => last = (await Again()).Require(0),
            async () => (await room.Measure(cluster, [program, "-d", Database, "-j", "2"], cancellationToken)).Require(0));
        var carried = Said.Carried(last!);
        var gate = new Gate(carried == (Tables - 2) * 2, $"{carried} of {Tables * 2} proofs of heaps and btrees carried over")
            & Gate.Equal("unchecked", Said.Verdicts(last!, "unchecked"), 0);

        await LoseEntry.From(cluster, Database, "t7", "t7_pkey", "kind", "id = 777", cancellationToken);
        await Flip(cluster, "t40", cancellationToken);
        gate &= Gate.Same("one damaged in a table that was written, one in a table that was not", Said.Accused(await Again()), ["public.t7_pkey", "public.t40"]);
        await report.Add(new Line($"{Tables} tables, two of them written", "pg_amcheck -j 2", "G5", 0.25, pairs, gate));
    }

    /// <summary>One bit of a page that nobody writes, behind the server's back.</summary>
    private static async Task Flip(Lab.ThrowawayCluster cluster, string table, CancellationToken cancellationToken)
    {
        var path = Path.Combine(cluster.DataDirectory, (await cluster.Scalar<string>(Database, $"SELECT pg_catalog.pg_relation_filepath('{table}')", cancellationToken))!);
        await using var file = File.Open(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = file.Length - 100;
        var value = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(value ^ 4));
    }

    private static IEnumerable<string> Statements(int rows)
    {
        for (var table = 1; table <= Tables; table++)
        {
            yield return $"CREATE TABLE t{table} (id bigint PRIMARY KEY, kind int NOT NULL, body text NOT NULL)";
            yield return $"INSERT INTO t{table} SELECT g, g % 1000, repeat(md5(g::text), 3) FROM generate_series(1, {rows}) g";
        }
    }
}
