using Kintsugi.Postgres.Files;
using Kintsugi.Postgres.Snapshots;

namespace Kintsugi.Postgres.Tests.Repairs.Cluster;

/// <summary>A manager that may start a server on stopped files is recognised by its process, and by nothing else where it is paused.</summary>
public sealed class ClusterManagerTests : IDisposable
{
    private readonly string place = Directory.CreateTempSubdirectory("kintsugi-manager-").FullName;
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(place, recursive: true);

    [Theory]
    [InlineData("/usr/bin/python3\0/usr/local/bin/patroni\0/etc/patroni.yml\0", "Patroni (process 4711)")]
    [InlineData("/usr/bin/pg_autoctl\0run\0", "pg_auto_failover (process 4711)")]
    [InlineData("/usr/lib/postgresql/17/bin/repmgrd\0-f\0/etc/repmgr.conf\0", "repmgr (process 4711)")]
    [InlineData("/usr/bin/vim\0notes-on-patroni\0", null)]
    public async Task A_running_cluster_manager_is_known_and_a_paused_one_is_let_be(string command, string? known)
    {
        var data = Directory.CreateDirectory(Path.Combine(place, "data")).FullName;
        var processes = Path.Combine(place, "proc");
        var own = Directory.CreateDirectory(Path.Combine(processes, "4711")).FullName;
        var other = Directory.CreateDirectory(Path.Combine(processes, "4712")).FullName;
        await Tell(other, "patroni\0", FileOwner.Of(data)!.Value + 1);
        Assert.Null(ServerKeeper.AtWork(data, processes));

        await Tell(own, command, FileOwner.Of(data)!.Value);
        Assert.Equal(known, ServerKeeper.AtWork(data, processes));

        await File.WriteAllTextAsync(Path.Combine(data, "patroni.dynamic.json"), """{"ttl": 30, "pause": true}""", Stop);
        Assert.Equal(known?.StartsWith("Patroni", StringComparison.Ordinal) == true ? null : known, ServerKeeper.AtWork(data, processes));

        await File.WriteAllTextAsync(Path.Combine(data, "custom.conf"), "", Stop);
        Assert.Equal("CloudNativePG", ServerKeeper.AtWork(data, processes));
    }

    private static async Task Tell(string process, string command, int uid)
    {
        await File.WriteAllTextAsync(Path.Combine(process, "cmdline"), command, Stop);
        await File.WriteAllTextAsync(Path.Combine(process, "status"), $"Name:\tx\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n", Stop);
    }
}
