using System.IO.Pipes;
using Kintsugi.State;
using Xunit;
using static Kintsugi.Engine.Tests.State.StateFolder;

namespace Kintsugi.Engine.Tests.State;

/// <summary>Not a test: the other process of <see cref="LedgerProcessTests"/>, which alone runs it.</summary>
public sealed class LedgerWriter
{
    public const string LedgerVariable = "KINTSUGI_TEST_LEDGER";
    public const string NameVariable = "KINTSUGI_TEST_WRITER";
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Explicit = true)]
    public async Task Append_until_killed()
    {
        var path = Environment.GetEnvironmentVariable(LedgerVariable);
        var name = Environment.GetEnvironmentVariable(NameVariable);
        Assert.NotNull(path);
        Assert.NotNull(name);
        await using var pipe = new NamedPipeClientStream(name);
        await pipe.ConnectAsync(Token);
        await using var ledger = SqliteLedger.Open(path);
        while (true)
        {
            await ledger.Append(Found(name[..name.IndexOf('-', StringComparison.Ordinal)]), Token);
            await pipe.WriteAsync(new byte[1], Token);
        }
    }
}
