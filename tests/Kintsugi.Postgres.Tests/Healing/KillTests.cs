using Kintsugi.Lab;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;
using Npgsql;

namespace Kintsugi.Postgres.Tests.Healing;

/// <summary>
/// Kintsugi, its backend, or the whole server dies after every journaled fact of a repair, and in the middle of its step. The next run has to
/// end healed, with nothing left behind: no transient index, no lost or doubled row, no lock, and the neighbour untouched.
/// </summary>
public sealed class KillTests(Servers servers) : IDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-kills-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(state, recursive: true);

    private static bool All { get; } = Environment.GetEnvironmentVariable("KINTSUGI_TEST_ALL") == "1";

    /// <summary>Every mechanism on both ends, where the default run can afford it.</summary>
    public static TheoryData<string, int> Matrix() => Matrix(mechanism => All || !mechanism.OneTransaction, oldest: true);

    /// <summary>Also those that <see cref="Matrix()"/> leaves to ./test --all.</summary>
    public static TheoryData<string, int> Each() => Matrix(_ => true, oldest: true);

    /// <summary>Steps with a middle that can be waited for.</summary>
    public static TheoryData<string, int> Middles() => Matrix(mechanism => mechanism.Stall is not null, oldest: All);

    private static TheoryData<string, int> Matrix(Func<Mechanism, bool> wanted, bool oldest)
    {
        var data = new TheoryData<string, int>();
        foreach (var mechanism in Mechanism.All.Where(mechanism => wanted(mechanism) && (All || !mechanism.OnlyAll) && Chosen(mechanism)))
        {
            data.Add(mechanism.Name, TestMajors.Newest);
            if (oldest && (All || !mechanism.OneTransaction) && TestMajors.Oldest != TestMajors.Newest)
                data.Add(mechanism.Name, TestMajors.Oldest);
        }
        return data;
    }

    /// <summary>For work on one of them: KINTSUGI_TEST_KILLS=unhide-parent,recreate-rows.</summary>
    private static bool Chosen(Mechanism mechanism) =>
        Environment.GetEnvironmentVariable("KINTSUGI_TEST_KILLS") is not { Length: > 0 } names || names.Split(',').Contains(mechanism.Name);

    internal static Treatment Treat(Mechanism mechanism, string connection, string data, string state) => new(connection, data, state)
    {
        Checks = mechanism.Checks,
        Includes = mechanism.Checks is ["catalog"] or ["collation"] or ["sequence"] or ["foreign-key"] or ["uniqueness"] ? null : relation => relation.TableName == "ward",
        Policy = mechanism.Policy,
        Approve = true,
    };

    [Fact]
    public void Every_kind_of_step_is_killed_somewhere() => Assert.Empty(
        StepRunners.All.Select(runner => runner.Kind).Except(Mechanism.All.SelectMany(mechanism => mechanism.Kinds)));

    [Theory, MemberData(nameof(Each))]
    public async Task A_killed_healer_is_survived_at_every_fact(string name, int major)
    {
        await using var patient = await Prepare(name, major);
        for (var fact = 0; fact < await patient.Facts(); fact++)
            await patient.Interrupt(async () =>
            {
                using var healer = KilledHealer.Start(patient.Treatment, patient.Mechanism, fact);
                await healer.WaitForExitAsync(Token);
                Assert.Equal(137, healer.ExitCode);
            });
    }

    [Theory, MemberData(nameof(Matrix))]
    public async Task A_terminated_backend_is_survived_at_every_fact(string name, int major)
    {
        await using var patient = await Prepare(name, major);
        for (var fact = 0; fact < await patient.Facts(); fact++)
            await patient.Interrupt(() => patient.RunWith(fact, patient.TerminateBackends));
    }

    [Theory, MemberData(nameof(Matrix))]
    public async Task A_server_that_loses_power_is_survived_at_every_fact(string name, int major)
    {
        await using var patient = await Prepare(name, major);
        for (var fact = 0; fact < await patient.Facts(); fact++)
            await patient.Interrupt(async () =>
            {
                await patient.RunWith(fact, () => patient.Database.Cluster.Kill(Token));
                if (!patient.Database.Cluster.IsRunning)
                    await patient.Database.Cluster.Start(Token);
            });
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Middles))]
    public async Task A_kill_in_the_middle_of_the_step_is_survived(string name, int major)
    {
        await using var patient = await Prepare(name, major);
        await patient.Interrupt(() => patient.InTheMiddle(async () =>
        {
            using var healer = KilledHealer.Start(patient.Treatment, patient.Mechanism, -1);
            await patient.AwaitStall();
            healer.Kill();
            await healer.WaitForExitAsync(Token);
        }));
        await patient.Interrupt(() => patient.InTheMiddle(async () =>
        {
            var run = patient.RunWith(-1, () => Task.CompletedTask);
            await patient.AwaitStall();
            await patient.TerminateBackends();
            await patient.ReleaseStall();
            await run;
        }));
        await patient.Interrupt(() => patient.InTheMiddle(async () =>
        {
            var run = patient.RunWith(-1, () => Task.CompletedTask);
            await patient.AwaitStall();
            await patient.Database.Cluster.Kill(Token);
            await run;
            await patient.Database.Cluster.Start(Token);
        }));
    }

    private async Task<KillPatient> Prepare(string name, int major)
    {
        var database = await servers.Cluster(major, Token);
        var mechanism = Mechanism.Named(name);
        await database.Execute(mechanism.Prepare, Token);
        await database.Execute("CREATE TABLE beside AS SELECT g AS id FROM generate_series(1, 100) g; CREATE INDEX beside_id ON beside (id)", Token);
        return await KillPatient.Admit(database, mechanism, state, Token);
    }
}
