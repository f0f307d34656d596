using Kintsugi.Bench.Measuring;
using Kintsugi.Bench.Reporting;
using Kintsugi.Lab;

namespace Kintsugi.Bench.Jobs;

/// <summary>Rows without a parent, in a table that says it has none.</summary>
internal sealed class ForeignKeysBenchmark : IBenchmark
{
    private const string Serial = "SET max_parallel_workers_per_gather = 0";

    public string Name => "foreign-keys";
    public string What => "Orphans of a declared foreign key (ten children for each parent, 1 % orphans, NULLs among them), against what people type into psql.";

    public async Task Run(Room room, Report report, CancellationToken cancellationToken)
    {
        var parents = room.Size(200_000, 1_000_000);
        var cluster = await room.Database("keys", Statements(parents), cancellationToken);
        if (room.Peer("psql") is not { } psql)
        {
            await report.Missing("psql", "the search for orphans");
            return;
        }
        const string condition = "FROM orphaned c {0} WHERE c.parent IS NOT NULL AND {1}";
        var notExists = "SELECT count(*) " + string.Format(condition, "", "NOT EXISTS (SELECT FROM parents p WHERE p.id = c.parent)");
        var leftJoin = "SELECT count(*) " + string.Format(condition, "LEFT JOIN parents p ON p.id = c.parent", "p.id IS NULL");
        var work = $"orphans among {parents * 10L:N0} rows";
        await Orphans(work, "psql: NOT EXISTS, serial", "G7", 0.60, "-c", Serial, "-c", notExists);
        await Orphans(work, "psql: LEFT JOIN, the server's defaults", "", null, "-c", leftJoin);
        // Without that memory the list is read again for each row, and it does not end.
        await Orphans(work, "psql: NOT IN, with work_mem for the whole list", "", null, "-c", "SET work_mem = '512MB'",
            "-c", "SELECT count(*) FROM orphaned c WHERE c.parent NOT IN (SELECT id FROM parents)");
        await Validate();

        async Task Orphans(string what, string peer, string goal, double? limit, params string[] sql)
        {
            Run? ours = null, theirs = null;
            var pairs = await Pairs.Of(
                async () => ours = (await Check("public.orphaned")).Require(2),
                async () => theirs = (await room.Measure(cluster, [psql, "-XAtq", "-d", "keys", .. sql], cancellationToken)).Require(0));
            using var said = Said.JsonOf(ours!);
            var rows = said.RootElement.GetProperty("findings").EnumerateArray().Single().GetProperty("rows").GetInt64();
            await report.Add(new Line(what, peer, goal, limit, pairs, Gate.Equal("orphans", $"{rows}", Said.Number(theirs!))
                & Gate.Equal("as many as were made", rows, parents / 10L)));
        }

        async Task Validate()
        {
            // The server validates only what is not validated yet; the transaction takes both back.
            string[] sql =
            [
                "BEGIN", "UPDATE pg_constraint SET convalidated = false WHERE conname = 'sound_parent'",
                "ALTER TABLE sound VALIDATE CONSTRAINT sound_parent", "ROLLBACK",
            ];
            Run? ours = null;
            var pairs = await Pairs.Of(
                async () => ours = (await Check("public.sound")).Require(0),
                async () => (await room.Measure(cluster, [psql, "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", "keys", .. sql.SelectMany(one => new[] { "-c", one })],
                    cancellationToken)).Require(0));
            await report.Add(new Line($"a sound key of {parents * 10L:N0} rows", "ALTER TABLE … VALIDATE CONSTRAINT", "G7", 0.55, pairs,
                Gate.Equal("sound", Said.Verdicts(ours!, "sound"), 1)));
        }

        Task<Run> Check(string table) => room.Ours(cluster, cancellationToken,
            "check", "-d", "keys", "-q", "--format", "json", "--only", "foreign-key", "-t", table);
    }

    private static IEnumerable<string> Statements(int parents)
    {
        yield return "CREATE TABLE parents (id int PRIMARY KEY, name text)";
        yield return $"INSERT INTO parents SELECT g, 'parent ' || g FROM generate_series(1, {parents}) g";
        foreach (var table in new[] { "sound", "orphaned" })
        {
            yield return $"CREATE TABLE {table} (id bigint PRIMARY KEY, parent int CONSTRAINT {table}_parent REFERENCES parents, note text)";
            // The trigger of the key would take as long as all that is measured; every 97th refers to nobody, which is allowed.
            yield return "SET session_replication_role = replica";
            var parent = $"CASE WHEN g % 97 = 0 THEN NULL ELSE 1 + g * 7919::bigint % {parents} END";
            yield return $"INSERT INTO {table} SELECT g, {parent}, 'child' FROM generate_series(1, {parents * 10L}) g";
        }
        yield return $"UPDATE orphaned SET parent = {parents} + id WHERE id % 100 = 1 AND id <= {parents * 10L}";
        yield return "SET session_replication_role = origin";
    }
}
