using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;

namespace Kintsugi.Postgres.Tests.Healing.Conflicts;

/// <summary>
/// Somebody drops, renames or alters what is being healed, between two facts of the repair. The case ends: nothing is left to heal, or the repair goes
/// on with what is there. No row is lost or kept twice, nothing of ours stays behind, and what is said of it a stranger understands.
/// </summary>
public sealed class ChangedMidwayTests(Servers servers) : IDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-changed-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(state, recursive: true);

    private static readonly Dictionary<string, string[]> Changes = new()
    {
        ["rebuild-index"] =
        [
            "DROP INDEX ward_mark", "DROP TABLE ward", "ALTER TABLE ward DROP COLUMN mark", "ALTER TABLE ward RENAME TO moved",
            "ALTER INDEX ward_mark RENAME TO moved_mark",
        ],
        ["drop-index"] = ["DROP INDEX IF EXISTS ward_body_ccnew", "DROP TABLE ward"],
        ["visibility-map"] = ["DROP TABLE ward", "VACUUM FULL ward", "TRUNCATE ward"],
        ["write-pages"] = ["DROP TABLE ward", "TRUNCATE ward"],
        ["catalog-edit"] = ["DROP TABLE ward"],
        ["refresh-version"] = ["DROP TABLE ward; DROP COLLATION ward_order", "ALTER COLLATION ward_order REFRESH VERSION"],
        ["set-sequence"] = ["DROP TABLE ward", "ALTER TABLE ward ALTER id DROP IDENTITY", "SELECT setval('ward_id_seq', 10000)"],
        ["recreate-rows"] =
        [
            "DROP TABLE patient_of", "DROP TABLE ward CASCADE", "ALTER TABLE patient_of DROP CONSTRAINT patient_of_ward_fkey",
            "ALTER TABLE ward ADD more integer DEFAULT 7", "ALTER TABLE ward DROP body", "INSERT INTO ward VALUES (3, 'somebody was quicker') ON CONFLICT DO NOTHING",
        ],
        ["quarantine-orphans"] =
        [
            "DROP TABLE ward", "ALTER TABLE ward DROP CONSTRAINT ward_bed", "ALTER TABLE ward ADD later text DEFAULT 'x'", "ALTER TABLE ward DROP body",
            "INSERT INTO bed VALUES (5001)", "DELETE FROM ward WHERE id = 5002", "UPDATE ward SET body = body || '!' WHERE id > 5000", "DROP TABLE bed CASCADE",
            "ALTER TABLE bed RENAME TO couch",
        ],
        ["recompute-all"] = ["DROP TABLE ward", "ALTER TABLE ward DROP COLUMN twice", "UPDATE ward SET n = n", "TRUNCATE ward"],
        ["move-misrouted"] = ["DROP TABLE ward", "TRUNCATE ward"],
        ["dedupe"] = ["DROP TABLE ward", "ALTER TABLE ward DROP CONSTRAINT ward_code", "DELETE FROM ward WHERE id = 999", "TRUNCATE ward"],
        ["mend-text"] = ["DROP TABLE ward", "ALTER TABLE ward DROP COLUMN body", "DELETE FROM ward WHERE id = 7"],
        ["enforce-constraint"] = ["DROP TABLE ward", "ALTER TABLE ward DROP CONSTRAINT ward_bed", "ALTER TABLE ward ENABLE TRIGGER ALL"],
        ["restore-label"] = ["DROP TABLE ward", "DROP TABLE ward; DROP TYPE ward_mood"],
        ["resolve-conflicts"] = ["DROP TABLE ward", "ALTER TABLE ward DROP CONSTRAINT ward_during", "DELETE FROM ward WHERE id = 999"],
    };

    private static bool All { get; } = Environment.GetEnvironmentVariable("KINTSUGI_TEST_ALL") == "1";

    private static string[] Moments { get; } = All
        ? [Facts.Found, Facts.Confirmed, Facts.Planned, Facts.Judged, Facts.Intended, Facts.Done, Facts.Verified] : [Facts.Planned, Facts.Intended];

    public static TheoryData<string, int> Matrix()
    {
        var data = new TheoryData<string, int>();
        foreach (var name in Changes.Keys.Where(name => KillWard.Chosen(name) && (All || FurtherMechanisms.All.All(further => further.Name != name))))
        {
            // What differs between majors is in the catalogs and in the locks: these two meet both.
            foreach (var row in TestMajors.Wide.Where(row => All || row.Data == TestMajors.Newest || name is "drop-index" or "catalog-edit"))
                data.Add(name, row.Data);
        }
        return data;
    }

    [Theory, MemberData(nameof(Matrix))]
    public async Task What_is_changed_in_the_middle_of_its_repair_ends_as_a_case_all_the_same(string name, int major)
    {
        foreach (var change in Changes[name])
            foreach (var moment in Moments)
                await Change(Mechanism.Named(name), change, moment, major);
    }

    private async Task Change(Mechanism mechanism, string change, string moment, int major)
    {
        await using var database = await servers.Database(major, Token);
        await database.Execute(mechanism.Prepare, Token);
        // Whoever reads first sets hint bits: a page that they made dirty would be written over what is damaged on disk.
        await Rows(database);
        foreach (var statement in mechanism.Injure.Split(";;"))
            await database.Execute(statement, Token);
        Assert.True(await database.Scalar<bool>(mechanism.Took, Token));
        var treatment = KillWard.Treat(
            mechanism, database.ConnectionString, database.Cluster.DataDirectory, Path.Combine(state, Guid.NewGuid().ToString("N")));
        StateDirectory.Open(treatment.State);
        var sick = await Rows(database);
        var changed = false;

        var reports = await (treatment with
        {
            After = async (fact, _) =>
            {
                if (changed || fact.Kind != moment)
                    return;
                changed = true;
                await database.Execute(change, Token);
            },
        }).Run(Token);
        var next = await treatment.Run(Token);

        foreach (var report in reports.Concat(next))
            TestContext.Current.TestOutputHelper?.WriteLine($"{mechanism.Name}, {change} after {moment}: {report.Outcome.Word} {report.Outcome.Why}");
        Assert.True(changed, $"{mechanism.Name}: no fact was {moment}");
        await using var ledger = SqliteLedger.Open(treatment.Ledger);
        Assert.All(await ledger.Cases(null, Token), row => Assert.True(row.State is "healed" or "transient",
            $"{mechanism.Name}, {change} after {moment}: {row.State}: {row.Reason}"));
        await AssertNothingStays(database, sick, $"{mechanism.Name}, {change} after {moment}");
    }

    private static async Task AssertNothingStays(TestDatabase database, IReadOnlyList<string> sick, string what)
    {
        Assert.Equal(0L, await database.Scalar<long>("SELECT count(*) FROM pg_class WHERE relname ~ '_cc(new|old)[0-9]*$'", Token));
        Assert.Equal(0L, await database.Scalar<long>("SELECT count(*) FROM pg_namespace WHERE nspname = 'kintsugi_pressure'", Token));
        Assert.Equal(0L, await database.Scalar<long>(
            "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE l.locktype = 'advisory' AND d.datname = current_database()", Token));
        if (!await database.Scalar<bool>("SELECT to_regclass('ward') IS NOT NULL", Token)
            || !await database.Scalar<bool>("SELECT EXISTS (SELECT FROM ward)", Token))
            return;
        var kept = await database.Scalar<bool>("SELECT to_regclass('kintsugi.quarantine') IS NOT NULL", Token)
            ? (await database.Query("SELECT key ->> 'id' FROM kintsugi.quarantine WHERE kind = 'removed'", Token)).Select(row => (string)row[0]!).ToList() : [];
        var all = (await Rows(database)).Concat(kept).ToList();
        Assert.True(all.Distinct().Count() == all.Count, $"{what}: a row is in two places: {string.Join(' ', all.Order())}");
        // A row that somebody else deleted is the only one that may be missing.
        Assert.True(!sick.Except(all).Except(["5002", "999", "7"]).Any(), $"{what}: lost {string.Join(' ', sick.Except(all))}");
    }

    private static async Task<IReadOnlyList<string>> Rows(TestDatabase database)
    {
        try
        {
            return [.. (await database.Query("SELECT id::text FROM ward", Token)).Select(row => (string)row[0]!)];
        }
        catch (Npgsql.PostgresException damaged) when (damaged.SqlState == "XX001")
        {
            return [];
        }
    }
}
