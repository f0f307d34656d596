using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;

namespace Kintsugi.Postgres.Tests.Healing.Conflicts;

/// <summary>The primary changes its role, or another server takes its address, in the middle of a repair.</summary>
public sealed class FailoverTests(Servers servers) : IDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-failover-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(state, recursive: true);

    private static string[] Moments { get; } = Environment.GetEnvironmentVariable("KINTSUGI_TEST_ALL") == "1"
        ? [Facts.Confirmed, Facts.Planned, Facts.SnapshotTaken, Facts.Intended, Facts.Done, Facts.Verified] : [Facts.Intended];

    public static TheoryData<string, int> Matrix => Of(Moments);

    /// <summary>A repair of rows keeps them in quarantine: no snapshot is taken before it.</summary>
    public static TheoryData<string, int> MatrixOfRows => Of(Moments.Except([Facts.SnapshotTaken]));

    private static TheoryData<string, int> Of(IEnumerable<string> moments)
    {
        var data = new TheoryData<string, int>();
        foreach (var moment in moments)
            foreach (var major in TestMajors.Wide)
                data.Add(moment, major.Data);
        return data;
    }

    [Theory, MemberData(nameof(Matrix))]
    public async Task A_standby_that_takes_over_in_the_middle_is_known_as_another_server_and_healed_by_the_next_run(string moment, int major)
    {
        await using var database = await servers.Cluster(major, Token);
        var mechanism = await Sicken(database, "rebuild-index");
        await using var standby = await database.Cluster.CreateStandby(Token);
        await database.Execute(mechanism.Injure, Token);
        await standby.AwaitReplayOf((await database.Scalar<string>("SELECT pg_current_wal_lsn()::text", Token))!, Token);
        var healthy = await database.Fingerprint(Token);
        var address = database.Cluster;
        var treatment = Treat(mechanism, database, () => address.ConnectionString(database.Name));

        var reports = await RunAt(treatment, moment, async () =>
        {
            await database.Cluster.Kill(Token);
            await standby.Execute("postgres", "SELECT pg_promote()", Token);
            address = standby;
        });
        Say(reports);
        var next = await treatment.Run(Token);

        Say(next);
        Assert.DoesNotContain(reports, report => report.Outcome is Outcome.Healed && moment is not (Facts.Done or Facts.Verified));
        Assert.All(next, report => Assert.True(report.Outcome is Outcome.Healed or Outcome.Transient, $"{report.Outcome.Word}: {report.Outcome.Why}"));
        Assert.Empty((await treatment.Look(Token)).Findings);
        Assert.Equal(0L, await standby.Scalar<long>(database.Name, "SELECT count(*) FROM pg_class WHERE relname ~ '_cc(new|old)[0-9]*$'", Token));
        Assert.Equal(0L, await standby.Scalar<long>(database.Name, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", Token));
        Assert.Equal([], healthy.CompareWith(await Fingerprint.Take(standby, database.Name, Token), "\"public\".\"playback_sessions\"")
            .Tables.Select(table => table.ToString()));
    }

    [Theory, MemberData(nameof(MatrixOfRows))]
    public async Task A_primary_that_comes_back_as_a_standby_is_not_written_to(string moment, int major)
    {
        await using var database = await servers.Cluster(major, Token);
        var mechanism = await Sicken(database, "quarantine-orphans");
        var healthy = await database.Fingerprint(Token);
        await database.Execute(mechanism.Injure, Token);
        var treatment = Treat(mechanism, database, () => database.ConnectionString);

        var reports = await RunAt(treatment, moment, async () =>
        {
            await database.Cluster.Stop(StopMode.Fast, Token);
            await File.WriteAllTextAsync(Path.Combine(database.Cluster.DataDirectory, "standby.signal"), "", Token);
            await database.Cluster.Start(Token);
        });
        Say(reports);
        var sent = await treatment.Run(Token);
        Say(sent);
        if (moment is not (Facts.Done or Facts.Verified))
            Assert.Contains(reports.Concat(sent), report => report.Outcome.Why?.Contains("standby", StringComparison.Ordinal) == true);
        await database.Execute("SELECT pg_promote()", Token);
        var next = await treatment.Run(Token);

        Say(next);
        Assert.All(next, report => Assert.True(report.Outcome is Outcome.Healed or Outcome.Transient, $"{report.Outcome.Word}: {report.Outcome.Why}"));
        Assert.Empty((await treatment.Look(Token)).Findings);
        Assert.Equal([], healthy.CompareWith(await database.Fingerprint(Token), "\"public\".\"playback_sessions\"").Tables.Select(table => table.ToString()));
        Assert.Equal(3L, await database.Scalar<long>("SELECT count(*) FROM kintsugi.quarantine", Token));
    }

    private static void Say(IReadOnlyList<CaseReport> reports)
    {
        foreach (var report in reports)
            TestContext.Current.TestOutputHelper?.WriteLine($"{report.Outcome.Word}: {report.Outcome.Why}");
    }

    private static async Task<Mechanism> Sicken(TestDatabase database, string name)
    {
        var mechanism = Mechanism.Named(name);
        await database.Execute(mechanism.Prepare, Token);
        return mechanism;
    }

    /// <summary>The files of a machine that may not be the server's any more are offered all the same, as a service beside it would.</summary>
    private Treatment Treat(Mechanism mechanism, TestDatabase database, Func<string> address)
    {
        StateDirectory.Open(state);
        return KillWard.Treat(mechanism, database.ConnectionString, database.Cluster.DataDirectory, state) with { Address = address };
    }

    private static async Task<IReadOnlyList<CaseReport>> RunAt(Treatment treatment, string moment, Func<Task> deed)
    {
        var happened = false;
        try
        {
            return await (treatment with
            {
                After = async (fact, _) =>
                {
                    if (happened || fact.Kind != moment)
                        return;
                    happened = true;
                    await deed();
                },
            }).Run(Token);
        }
        catch (PatientException lost)
        {
            // As the command line would: it says so and ends.
            TestContext.Current.TestOutputHelper?.WriteLine($"after {moment}: {lost.Message}");
            return [];
        }
        finally
        {
            Assert.True(happened, $"no fact was {moment}");
        }
    }
}
