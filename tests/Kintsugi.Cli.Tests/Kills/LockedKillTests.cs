using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests.Kills;

/// <summary>
/// Nobody gets in, and the heal that opens the door dies, at every line that it says and while it holds the door open; or the server loses power meanwhile.
/// The next run ends healed, the door is shut to those who go past the system indexes, and nothing of ours is left in the data directory.
/// </summary>
public sealed class LockedKillTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(LockedPatient.Matrix), MemberType = typeof(LockedPatient))]
    public async Task A_killed_heal_is_finished_by_the_next(string strike, int major)
    {
        await using var patient = await LockedPatient.Admit(servers, major, strike, Stop);
        foreach (var moment in LockedPatient.All ? await patient.Lines() : [strike == "torn" ? "intended" : "done"])
        {
            await patient.Interrupt(async terminal =>
            {
                using var healer = KilledCommand.Start(terminal, moment, patient.Heal);
                await healer.WaitForExitAsync(Stop);
                Assert.Equal(KilledCommand.Killed, healer.ExitCode);
            });
        }
    }

    [Theory, MemberData(nameof(LockedPatient.Matrix), MemberType = typeof(LockedPatient))]
    public async Task A_heal_that_is_killed_while_the_door_is_open_leaves_it_to_the_next_to_shut_it(string strike, int major)
    {
        await using var patient = await LockedPatient.Admit(servers, major, strike, Stop);
        await patient.Interrupt(async terminal =>
        {
            using var healer = KilledCommand.Start(terminal, "0", patient.Heal);
            await patient.AwaitStall();
            Assert.True(patient.IsOpen);
            healer.Kill();
            await healer.WaitForExitAsync(Stop);
        }, held: true);
        await patient.Interrupt(async terminal =>
        {
            var healer = terminal.Run(patient.Heal);
            await patient.AwaitStall();
            await patient.Database.Cluster.Kill(Stop);
            await healer;
            Assert.False(patient.IsOpen);
            await patient.Database.Cluster.Start(Stop);
        }, held: true);
        if (LockedPatient.All)
            await patient.Interrupt(async terminal =>
            {
                using var healer = KilledCommand.Start(terminal, "0", patient.Heal);
                await patient.AwaitStall();
                healer.Kill();
                await healer.WaitForExitAsync(Stop);
                // As a machine that loses power takes both.
                await patient.Database.Cluster.Kill(Stop);
                await patient.Database.Cluster.Start(Stop);
            }, held: true);
    }
}
