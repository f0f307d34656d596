using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Healing.Conflicts;

/// <summary>
/// Others look after the same table while Kintsugi heals it: a DBA who rebuilds the same index, a VACUUM, a second Kintsugi. Whoever comes first, the
/// table ends whole, no unfinished index stays, and nobody's work is taken for debris.
/// </summary>
public sealed class BystanderTests(Servers servers) : IDisposable
{
    private const string Theirs = "REINDEX INDEX CONCURRENTLY ward_mark";
    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-bystanders-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(state, recursive: true);

    [Theory, MemberData(nameof(TestMajors.Wide), MemberType = typeof(TestMajors))]
    public async Task Maintenance_between_two_facts_disturbs_nothing(int major)
    {
        await using var patient = await Prepare(major);
        foreach (var deed in (string[])[Theirs, "REINDEX INDEX ward_mark", "REINDEX TABLE ward", "VACUUM (FREEZE, ANALYZE) ward"])
            foreach (var moment in Moments)
                await patient.Interrupt(() => patient.RunAt(moment, () => patient.Database.Execute(deed, Token)));
    }

    [Theory, MemberData(nameof(TestMajors.Wide), MemberType = typeof(TestMajors))]
    public async Task Of_two_rebuilds_of_one_index_the_second_waits_for_the_first(int major)
    {
        await using var patient = await Prepare(major);
        await patient.Interrupt(() => patient.InTheMiddle(async () =>
        {
            var theirs = patient.Database.Execute(Theirs, Token);
            await patient.Until(Building("kintsugi-lab"));
            var ours = patient.RunWith(-1, Nothing);
            await patient.Until(OursAwaitsOthers);
            await patient.ReleaseStall();
            await Task.WhenAll(theirs, ours);
        }));
        await patient.Interrupt(() => patient.InTheMiddle(async () =>
        {
            var ours = patient.RunWith(-1, Nothing);
            await patient.Until(Building("kintsugi"));
            var theirs = patient.Database.Execute(Theirs, Token);
            await patient.Until(Waits("kintsugi-lab", "REINDEX"));
            await patient.ReleaseStall();
            await Task.WhenAll(theirs, ours);
        }));
    }

    [Theory, MemberData(nameof(TestMajors.Wide), MemberType = typeof(TestMajors))]
    public async Task A_plain_rebuild_that_is_not_committed_yet_is_waited_for(int major)
    {
        await using var patient = await Prepare(major);
        Task? run = null;
        await patient.Interrupt(async () =>
        {
            await patient.RunAt(Facts.Intended, async () =>
            {
                // Held until the rebuild waits for it; the run goes on behind this fact.
                run = patient.InTheMiddle("REINDEX INDEX ward_mark", () => patient.Until(OursAwaitsOthers));
                await patient.Until("SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'ward_mark'::regclass AND mode = 'AccessExclusiveLock' AND granted)");
            });
            await run!;
        });
    }

    /// <summary>A cursor pins a page that VACUUM has to clean: it stands still, with its lock on the table.</summary>
    [Theory, MemberData(nameof(TestMajors.Wide), MemberType = typeof(TestMajors))]
    public async Task A_vacuum_in_its_middle_is_waited_for(int major)
    {
        await using var patient = await Prepare(major);
        await patient.Database.Execute("UPDATE ward SET body = body WHERE id <= 20", Token);
        await patient.Interrupt(() => patient.InTheMiddle("DECLARE pin CURSOR FOR SELECT * FROM ward; FETCH 1 FROM pin", async () =>
        {
            var vacuum = patient.Database.Execute("VACUUM (FREEZE) ward", Token);
            await patient.Until("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'VACUUM%' AND wait_event = 'BufferPin')");
            var ours = patient.RunWith(-1, Nothing);
            await patient.Until(OursAwaitsOthers);
            await patient.ReleaseStall();
            await Task.WhenAll(vacuum, ours);
        }));
    }

    [Theory, MemberData(nameof(TestMajors.Wide), MemberType = typeof(TestMajors))]
    public async Task An_autovacuum_gives_way_and_comes_back_later(int major)
    {
        var options = new ClusterOptions
        {
            Settings = new Dictionary<string, string>
            {
                ["autovacuum"] = "on",
                ["autovacuum_naptime"] = "1s",
                ["autovacuum_vacuum_cost_delay"] = "100ms",
                ["autovacuum_vacuum_cost_limit"] = "1",
                ["deadlock_timeout"] = "200ms",
            },
        };
        await using var patient = await Prepare(major, options);
        await patient.Interrupt(() => patient.RunAt(Facts.Intended, async () =>
        {
            await patient.Database.Execute("ALTER TABLE ward SET (autovacuum_enabled = on, autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0); "
                + "UPDATE ward SET body = body", Token);
            await patient.Until("SELECT EXISTS (SELECT FROM pg_stat_progress_vacuum WHERE relid = 'ward'::regclass)");
        }));
    }

    [Theory, MemberData(nameof(TestMajors.Wide), MemberType = typeof(TestMajors))]
    public async Task Of_two_Kintsugis_one_heals_and_the_other_finds_nothing_left(int major)
    {
        await using var patient = await Prepare(major);
        foreach (var ledger in (string?[])[null, "other"])
            await patient.Interrupt(() => BothHeal(patient, patient.Treatment with { State = ledger is null ? patient.Treatment.State : Path.Combine(state, ledger) }));
    }

    private static async Task BothHeal(KillPatient patient, Treatment other)
    {
        Kintsugi.State.StateDirectory.Open(other.State);
        var reports = (await Task.WhenAll(patient.Treatment.Run(Token), other.Run(Token))).SelectMany(cases => cases).ToList();
        Assert.Contains(reports, report => report.Outcome is Outcome.Healed);
        Assert.All(reports, report => Assert.True(report.Outcome is Outcome.Healed or Outcome.Transient, $"{report.Outcome.Word}: {report.Outcome.Why}"));
    }

    private static string[] Moments { get; } = Environment.GetEnvironmentVariable("KINTSUGI_TEST_ALL") == "1"
        ? [Facts.Found, Facts.Confirmed, Facts.Planned, Facts.Judged, Facts.SnapshotTaken, Facts.Intended, Facts.Done, Facts.Verified]
        : [Facts.Intended];

    private static Task Nothing() => Task.CompletedTask;

    /// <summary>It asks again and again who holds a lock that its own would wait for.</summary>
    private const string OursAwaitsOthers = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'kintsugi' "
        + "AND query LIKE '%''ShareUpdateExclusiveLock'', ''ShareLock''%')";

    private static string Building(string who) => "SELECT EXISTS (SELECT FROM pg_stat_progress_create_index p JOIN pg_stat_activity s ON s.pid = p.pid "
        + $"WHERE s.application_name = '{who}' AND p.phase LIKE 'waiting%')";

    private static string Waits(string who, string statement) => "SELECT EXISTS (SELECT FROM pg_stat_activity "
        + $"WHERE application_name = '{who}' AND wait_event_type = 'Lock' AND query LIKE '{statement}%')";

    private async Task<KillPatient> Prepare(int major, ClusterOptions? options = null)
    {
        var database = await servers.Cluster(major, options ?? new ClusterOptions(), Token);
        var mechanism = Mechanism.Named("rebuild-index");
        await database.Execute(mechanism.Prepare, Token);
        await database.Execute("CREATE TABLE beside AS SELECT g AS id FROM generate_series(1, 100) g; CREATE INDEX beside_id ON beside (id)", Token);
        return await KillPatient.Admit(database, mechanism, state, Token);
    }
}
