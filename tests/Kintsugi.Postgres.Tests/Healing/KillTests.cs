using Kintsugi.Lab;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Healing;

/// <summary>
/// Kintsugi, its backend, or the whole server dies after every journaled fact of a repair, and in the middle of its step. The next run has to
/// end healed, with nothing left behind: no transient index, no lost or doubled row, no lock, and the neighbour untouched.
/// </summary>
public sealed class HealerKillTests(Servers servers) : IDisposable
{
    private readonly KillWard ward = new(servers);
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => ward.Dispose();

    [Fact]
    public void Every_kind_of_step_is_killed_somewhere() => Assert.Empty(
        StepRunners.All.Select(runner => runner.Kind).Except(Mechanism.All.SelectMany(mechanism => mechanism.Kinds)));

    [Theory, MemberData(nameof(KillWard.Each), MemberType = typeof(KillWard))]
    public async Task A_killed_healer_is_survived_at_every_fact(string name, int major)
    {
        await using var patient = await ward.Prepare(name, major);
        for (var fact = 0; fact < await patient.Facts(); fact++)
            await patient.Interrupt(async () =>
            {
                using var healer = KilledHealer.Start(patient.Treatment, patient.Mechanism, fact);
                await healer.WaitForExitAsync(Token);
                Assert.Equal(137, healer.ExitCode);
            });
    }
}

/// <summary>The same where the healer's sessions are terminated.</summary>
public sealed class BackendKillTests(Servers servers) : IDisposable
{
    private readonly KillWard ward = new(servers);

    public void Dispose() => ward.Dispose();

    [Theory, MemberData(nameof(KillWard.Matrix), MemberType = typeof(KillWard))]
    public async Task A_terminated_backend_is_survived_at_every_fact(string name, int major)
    {
        await using var patient = await ward.Prepare(name, major);
        for (var fact = 0; fact < await patient.Facts(); fact++)
            await patient.Interrupt(() => patient.RunWith(fact, patient.TerminateBackends));
    }
}

/// <summary>The same where the server loses power.</summary>
public sealed class PowerKillTests(Servers servers) : IDisposable
{
    private readonly KillWard ward = new(servers);
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => ward.Dispose();

    [Theory, MemberData(nameof(KillWard.Matrix), MemberType = typeof(KillWard))]
    public async Task A_server_that_loses_power_is_survived_at_every_fact(string name, int major)
    {
        await using var patient = await ward.Prepare(name, major);
        for (var fact = 0; fact < await patient.Facts(); fact++)
            await patient.Interrupt(async () =>
            {
                await patient.RunWith(fact, () => patient.Database.Cluster.Kill(Token));
                if (!patient.Database.Cluster.IsRunning)
                    await patient.Database.Cluster.Start(Token);
            });
    }
}

/// <summary>The same in the middle of the step.</summary>
public sealed class MiddleKillTests(Servers servers) : IDisposable
{
    private readonly KillWard ward = new(servers);
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => ward.Dispose();

    [Theory(SkipTestWithoutData = true), MemberData(nameof(KillWard.Middles), MemberType = typeof(KillWard))]
    public async Task A_kill_in_the_middle_of_the_step_is_survived(string name, int major)
    {
        await using var patient = await ward.Prepare(name, major);
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
}
