using System.Diagnostics;
using System.IO.Pipes;
using Kintsugi.State;
using Xunit;
using static Kintsugi.Engine.Tests.State.StateFolder;

namespace Kintsugi.Engine.Tests.State;

/// <summary>
/// Several processes at one ledger, killed without warning. The other processes are this test program, told to run only the
/// writer.
/// </summary>
public sealed class LedgerProcessTests : IDisposable
{
    private readonly StateFolder folder = new();
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Writers_killed_in_the_middle_leave_every_fact_that_they_had_confirmed()
    {
        var confirmed = await Task.WhenAll(RunAndKill("first", 100), RunAndKill("second", 60));

        await using var ledger = folder.Open();

        Assert.Empty(await ledger.Verify(Token));
        Assert.True((await ledger.FactsOf("first", Token)).Count >= confirmed[0]);
        Assert.True((await ledger.FactsOf("second", Token)).Count >= confirmed[1]);
        await ledger.Append(Found("after"), Token);
        Assert.Empty(await ledger.Verify(Token));
    }

    [Fact]
    public async Task Many_connections_that_open_a_new_ledger_at_once_lose_nothing()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            await using var ledger = folder.Open();
            for (var number = 0; number < 25; number++)
                await ledger.Append(Found($"writer {writer}"), Token);
        }, Token)));

        await using var ledger = folder.Open();

        Assert.Empty(await ledger.Verify(Token));
        Assert.Equal(8, (await ledger.Cases(null, Token)).Count);
        Assert.Equal(25, (await ledger.FactsOf("writer 7", Token)).Count);
    }

    /// <summary>Waits until it has confirmed that many facts, kills it, and counts what it had confirmed by then.</summary>
    private async Task<int> RunAndKill(string name, int facts)
    {
        var pipeName = $"{name}-{Guid.NewGuid():N}";
        await using var pipe = new NamedPipeServerStream(pipeName);
        using var writer = Start(pipeName);
        await pipe.WaitForConnectionAsync(Token);
        var buffer = new byte[1];
        var confirmed = 0;
        while (await pipe.ReadAsync(buffer, Token) == 1)
            if (++confirmed == facts)
                writer.Kill();
        await writer.WaitForExitAsync(Token);
        Assert.True(confirmed >= facts, $"the writer ended by itself after {confirmed} facts");
        return confirmed;
    }

    private Process Start(string pipe)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
            Environment = { [LedgerWriter.LedgerVariable] = folder.State.Ledger, [LedgerWriter.NameVariable] = pipe },
        };
        foreach (var argument in new[] { "--explicit", "only", "--filter-method",
            $"{typeof(LedgerWriter).FullName}.{nameof(LedgerWriter.Append_until_killed)}" })
            start.ArgumentList.Add(argument);
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        return process;
    }
}
