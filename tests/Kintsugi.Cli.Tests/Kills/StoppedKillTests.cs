using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests.Kills;

/// <summary>
/// The heal of a stopped cluster dies, at every line that it says and while its copy runs. The next one ends with every file in place and every row there,
/// and neither a draft nor a copy nor the server of one is left.
/// </summary>
public sealed class StoppedKillTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>What is lost, and what of it is written anew from the evidence that is left.</summary>
    private static readonly Dictionary<string, string[]> Losses = new()
    {
        ["commit-log"] = ["pg_xact/0000"],
        ["first-files"] = ["global/pg_control", "PG_VERSION", "pg_notify"],
    };

    public static TheoryData<string, int> Matrix()
    {
        var data = new TheoryData<string, int>();
        foreach (var loss in Losses.Keys.Where(loss => StoppedPatient.All || loss == "commit-log"))
            foreach (var row in StoppedPatient.All ? TestMajors.Ends : [TestMajors.Newest])
                data.Add(loss, row.Data);
        return data;
    }

    [Theory, MemberData(nameof(Matrix))]
    public async Task A_killed_heal_of_files_is_finished_by_the_next(string loss, int major)
    {
        await using var patient = await StoppedPatient.Admit(servers, major, Losses[loss], Stop);
        await patient.Interrupt(async (terminal, heal) =>
        {
            using var healer = KilledCommand.Start(terminal, "0", heal);
            while (!Directory.EnumerateFiles(terminal.Variables["TMPDIR"], "postmaster.pid", SearchOption.AllDirectories).Any())
                await Task.Delay(20, Stop);
            healer.Kill();
            await healer.WaitForExitAsync(Stop);
        });
        foreach (var moment in StoppedPatient.All ? await patient.Lines() : ["intended"])
        {
            await patient.Interrupt(async (terminal, heal) =>
            {
                await patient.Approve(terminal);
                using var healer = KilledCommand.Start(terminal, moment, heal);
                await healer.WaitForExitAsync(Stop);
                Assert.Equal(KilledCommand.Killed, healer.ExitCode);
            });
        }
    }
}
