using System.Diagnostics;
using System.Globalization;
using Kintsugi.Lab;
using Npgsql;

namespace Kintsugi.Cli.Tests.Fixtures;

/// <summary>A real pooler before a throwaway server, with one backend for everybody, where this machine has the program.</summary>
internal sealed class PgBouncer : IAsyncDisposable
{
    public const string Missing = "no pgbouncer on the PATH; ./test gets it where there is apt";
    public const int Port = 6432;

    private readonly Process process;

    private PgBouncer(Process process, string directory) => (this.process, Directory) = (process, directory);

    /// <summary>Where its socket lies.</summary>
    public string Directory { get; }

    public static string? Program { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries).Append("/usr/sbin")
        .Select(folder => Path.Combine(folder, "pgbouncer")).FirstOrDefault(File.Exists);

    public static async Task<PgBouncer> Start(ThrowawayCluster cluster, string mode, CancellationToken stop)
    {
        var directory = System.IO.Directory.CreateDirectory(Path.Combine(cluster.Home, "pooler-" + mode)).FullName;
        var file = Path.Combine(directory, "pgbouncer.ini");
        await File.WriteAllTextAsync(file, string.Create(CultureInfo.InvariantCulture, $"""
            [databases]
            * = host={cluster.SocketDirectory} port={cluster.Port} user=postgres
            [pgbouncer]
            listen_port = {Port}
            unix_socket_dir = {directory}
            auth_type = any
            pool_mode = {mode}
            default_pool_size = 1
            """), stop);
        await ExternalCommand.Require(["chown", "-R", $"--reference={cluster.DataDirectory}", directory], stop);
        string[] account = Environment.IsPrivilegedProcess
            ? ["setpriv", $"--reuid={await Owner("%u", cluster, stop)}", $"--regid={await Owner("%g", cluster, stop)}", "--clear-groups", "--"] : [];
        string[] command = [.. account, Program!, file];
        var pooler = new PgBouncer(Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true, RedirectStandardOutput = true })!, directory);
        pooler.process.BeginOutputReadLine();
        pooler.process.BeginErrorReadLine();
        while (!File.Exists(Path.Combine(directory, $".s.PGSQL.{Port}")))
        {
            Assert.False(pooler.process.HasExited, "pgbouncer ended at its start");
            await Task.Delay(TimeSpan.FromMilliseconds(20), stop);
        }
        return pooler;
    }

    /// <summary>What an application sees that connects through it.</summary>
    public async Task<IReadOnlyList<string>> Ask(string database, string sql, CancellationToken stop)
    {
        var settings = new NpgsqlConnectionStringBuilder { Host = Directory, Port = Port, Username = "postgres", Database = database, Pooling = false };
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync(stop);
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(stop);
        var rows = new List<string>();
        while (await reader.ReadAsync(stop))
            rows.Add(reader.GetString(0));
        return rows;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private static async Task<string> Owner(string format, ThrowawayCluster cluster, CancellationToken stop) =>
        (await ExternalCommand.Run(["stat", "-c", format, cluster.DataDirectory], stop)).Output.Trim();
}
