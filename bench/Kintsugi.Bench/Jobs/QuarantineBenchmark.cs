using System.Globalization;
using Kintsugi.Bench.Measuring;
using Kintsugi.Bench.Reporting;
using Kintsugi.Lab;

namespace Kintsugi.Bench.Jobs;

/// <summary>Rows without a parent, taken out of their table.</summary>
internal sealed class QuarantineBenchmark : IBenchmark
{
    private const string Database = "taken";
    private const string Delete = "DELETE FROM orphaned c WHERE c.parent IS NOT NULL AND NOT EXISTS (SELECT FROM parents p WHERE p.id = c.parent)";
    private const string Whole = "SELECT count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM orphaned t";

    public string Name => "quarantine";
    public string What => "Orphans (1 % of the rows) found, kept in quarantine, removed in batches, proven gone, and recorded (`heal --allow reversible`), against one DELETE "
        + "with NOT EXISTS in psql, which keeps nothing. Then how long the longest transaction held its rows.";

    public async Task Run(Room room, Report report, CancellationToken cancellationToken)
    {
        if (room.Peer("psql") is not { } psql)
        {
            await report.Missing("psql", "the removal of orphans");
            return;
        }
        var parents = room.Size(100_000, 1_000_000);
        await using var cluster = await room.NewCluster(cancellationToken);
        await Room.Fill(cluster, Database, Statements(parents), cancellationToken);
        var config = Path.Combine(room.Laboratory.Root, "budget.yaml");
        await File.WriteAllTextAsync(config, "budget: { rows_per_case: 10000000, share_per_case: 2%, rows_per_day: 1000000000 }\n", cancellationToken);
        var before = await cluster.Scalar<string>(Database, Whole, cancellationToken);
        var gate = new Gate(true, $"{parents / 10:N0} rows taken out each time; undo gives the table back row for row");
        var pairs = await Pairs.Of(() => Heal(Alone), () => DeleteThem(Alone));
        await report.Add(new Line($"{parents / 10:N0} orphans among {parents * 10L:N0} rows", "psql: one DELETE … NOT EXISTS", "G8", 0.8, pairs, gate));
        // Not while time is taken: whoever watches is somebody at work, before whom our statements stand back.
        var (longest, peer) = (TimeSpan.Zero, TimeSpan.Zero);
        await Heal(work => Watched(work, it => longest = it));
        await DeleteThem(work => Watched(work, it => peer = it));
        var share = longest / peer;
        await report.Note($"The longest transaction that wrote: {Line.Time(longest)} of ours, {Line.Time(peer)} of the peer's: {Line.Number(share)} "
            + $"(G8 ≤ 0.05 {(share <= 0.05 ? "reached" : "**missed**")})");

        async Task<Run> Heal(Func<Func<Task<Run>>, Task<Run>> how)
        {
            var run = await how(() => room.Beside(cluster, [room.Kintsugi,
                "heal", "-c", config, "--yes", "--allow", "reversible", "-d", Database, "-q", "--format", "json", "--only", "foreign-key", "-t", "public.orphaned"], cancellationToken));
            using var said = Said.JsonOf(run.Require(0));
            var healed = said.RootElement.GetProperty("cases").EnumerateArray().Single();
            var taken = healed.GetProperty("rows_quarantined").GetInt64();
            // Rows come back when nothing stands against them: their parents come first, for as long as that takes.
            await Room.Load(cluster, Database, ["INSERT INTO parents SELECT DISTINCT parent, 'lent' FROM kept"], cancellationToken);
            (await room.Ours(cluster, cancellationToken, "undo", healed.GetProperty("id").GetString()!, "-d", Database)).Require(0);
            await Room.Load(cluster, Database, ["SET session_replication_role = replica", "DELETE FROM parents WHERE name = 'lent'"], cancellationToken);
            gate = gate with { Green = gate.Green && taken == parents / 10 && before == await cluster.Scalar<string>(Database, Whole, cancellationToken) };
            await Settle();
            return run;
        }

        async Task<Run> DeleteThem(Func<Func<Task<Run>>, Task<Run>> how)
        {
            var run = (await how(() => room.Beside(cluster, [psql, "-XAtq", "-d", Database, "-c", Delete], cancellationToken))).Require(0);
            await Room.Load(cluster, Database, ["SET session_replication_role = replica", "INSERT INTO orphaned SELECT * FROM kept"], cancellationToken);
            await Settle();
            return run;
        }

        Task Settle() => Room.Load(cluster, Database, ["VACUUM orphaned, parents", "CHECKPOINT"], cancellationToken);

        static Task<Run> Alone(Func<Task<Run>> work) => work();

        async Task<Run> Watched(Func<Task<Run>> work, Action<TimeSpan> longest)
        {
            using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var watch = LongestWriter(cluster, over.Token);
            var run = await work();
            await over.CancelAsync();
            longest(await watch);
            return run;
        }
    }

    /// <summary>The age of the oldest transaction that has written, sampled until it is over.</summary>
    private static async Task<TimeSpan> LongestWriter(ThrowawayCluster cluster, CancellationToken over)
    {
        var longest = 0.0;
        await using var connection = await cluster.Connect("postgres", CancellationToken.None);
        await using var command = new Npgsql.NpgsqlCommand($"""
            SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8 FROM pg_stat_activity
            WHERE datname = '{Database}' AND backend_type = 'client backend' AND backend_xid IS NOT NULL
            """, connection);
        while (!over.IsCancellationRequested)
        {
            longest = Math.Max(longest, (double)(await command.ExecuteScalarAsync(CancellationToken.None))!);
            await Task.Delay(2, CancellationToken.None);
        }
        return TimeSpan.FromSeconds(longest);
    }

    private static IEnumerable<string> Statements(int parents)
    {
        var children = string.Create(CultureInfo.InvariantCulture, $"{parents * 10L}");
        yield return "CREATE TABLE parents (id int PRIMARY KEY, name text)";
        yield return $"INSERT INTO parents SELECT g, 'parent ' || g FROM generate_series(1, {parents}) g";
        yield return "CREATE TABLE orphaned (id bigint PRIMARY KEY, parent int CONSTRAINT orphaned_parent REFERENCES parents, note text)";
        yield return "SET session_replication_role = replica";
        yield return $"INSERT INTO orphaned SELECT g, CASE WHEN g % 100 = 1 THEN {parents} + g WHEN g % 97 = 0 THEN NULL ELSE 1 + g * 7919::bigint % {parents} END, 'child' "
            + $"FROM generate_series(1, {children}) g";
        yield return $"CREATE TABLE kept AS SELECT * FROM orphaned WHERE parent > {parents}";
        yield return "SET session_replication_role = origin";
    }
}
