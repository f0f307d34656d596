using System.Diagnostics;
using System.Globalization;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Checks;

/// <summary>A backend that heeds no cancellation, as one that spins in a damaged index: a stopped process stands for it.</summary>
public sealed class SpinningBackendTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_is_left_behind_and_named_and_the_session_goes_on_with_another()
    {
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        await using var factory = new SessionFactory(_ => database.ConnectionString, new SessionLimits { Grace = TimeSpan.FromSeconds(2) });
        await using var session = await factory.OpenRead(null, Stop);
        var backend = session.BackendPid;

        var asked = Stopwatch.StartNew();
        var refused = await Assert.ThrowsAsync<PatientException>(async () => await session.InTransaction("SET LOCAL enable_seqscan = off",
            TimeSpan.FromSeconds(1), async inside =>
            {
                await Signal("STOP", backend);
                return await inside.Rows("SELECT 1", row => row.GetInt32(0), Stop);
            }, Stop));
        try
        {
            Assert.Contains($"backend {backend} did not end its statement", refused.Message, StringComparison.Ordinal);
            Assert.False(refused.ConnectionLost);
            Assert.True(asked.Elapsed < new SessionLimits().Statement, "the limit of this question was not kept");
            Assert.Equal([2], await session.Rows("SELECT 2", row => row.GetInt32(0), Stop));
            Assert.NotEqual(backend, session.BackendPid);
        }
        finally
        {
            await Signal("CONT", backend);
        }
    }

    private static async Task Signal(string signal, int process)
    {
        using var kill = Process.Start("kill", ["-s", signal, process.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(Stop);
        Assert.Equal(0, kill.ExitCode);
    }
}
