using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests;

/// <summary>People go on working while we look: none of their transactions fails, and nothing of what they write is accused.</summary>
public sealed class PgbenchTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Pgbench_runs_beside_a_standard_check_without_an_error(int major)
    {
        Assert.SkipUnless(Pgbench.Program is not null, Pgbench.Missing);
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(major, Stop);
        string[] door = ["-h", database.Cluster.SocketDirectory, "-p", $"{database.Cluster.Port}", "-U", "postgres"];
        Task<CommandResult> Run(params string[] arguments) => ExternalCommand.Run([Pgbench.Program!, .. door, .. arguments, database.Name], Stop);
        var made = await Run("-i", "-q", "-s", "2", "--foreign-keys");
        Assert.True(made.Succeeded, made.Output);

        // So many transactions, however long they take; checks follow each other until they are through.
        var bench = Run("-n", "-c", "4", "-t", "1500");
        var checks = 0;
        do
        {
            var said = await terminal.On(database, "check", "-D", database.Cluster.DataDirectory, "--format", "json");
            Assert.True(said.Code is ExitCodes.Sound or ExitCodes.Unchecked, said.All);
            Assert.DoesNotContain(said.Json.GetProperty("findings").EnumerateArray(), finding => finding.GetProperty("database").GetString() == database.Name);
            checks++;
        }
        while (!bench.IsCompleted);
        var result = await bench;

        Assert.True(result.Succeeded && checks > 0, result.Output);
        Assert.Contains("number of transactions actually processed: 6000/6000", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("ERROR", result.Output, StringComparison.Ordinal);
    }
}
