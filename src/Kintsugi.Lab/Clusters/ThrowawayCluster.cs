using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Kintsugi.Lab;

/// <summary>One PostgreSQL cluster that nobody needs: it may be started, killed, copied and injured.</summary>
public sealed partial class ThrowawayCluster : IAsyncDisposable
{
    /// <summary>What every data directory of the lab carries; an injury refuses one without it.</summary>
    public const string Marker = ".kintsugi-lab";

    private const string SettingsFile = "kintsugi-lab.conf";

    /// <summary>The port is chosen before the server binds it; somebody else may be quicker, hardly this often.</summary>
    private const int PortAttempts = 8;

    private readonly Laboratory laboratory;

    internal ThrowawayCluster(Laboratory laboratory, PostgresBinaries binaries, ClusterOptions options, string home)
    {
        this.laboratory = laboratory;
        Binaries = binaries;
        Options = options;
        Home = home;
    }

    /// <summary>The server programs it runs with.</summary>
    public PostgresBinaries Binaries { get; }

    /// <summary>How it was made.</summary>
    public ClusterOptions Options { get; }

    /// <summary>The directory of this cluster alone; data, socket and log lie in it.</summary>
    public string Home { get; }

    public int Major => Binaries.Major;

    public string DataDirectory => Path.Combine(Home, "data");

    /// <summary>Where the server's Unix socket is; also a host name for libpq and Npgsql.</summary>
    public string SocketDirectory => Path.Combine(Home, "s");

    public string LogFile => Path.Combine(Home, "log");

    /// <summary>The TCP port on 127.0.0.1 and the number of the socket; chosen at each start.</summary>
    public int Port { get; private set; }

    public bool IsRunning => ServerProcess.PostmasterOf(DataDirectory) is not null;

    /// <summary>The postmaster's process id while the server runs.</summary>
    public int? Postmaster => ServerProcess.PostmasterOf(DataDirectory);

    internal async Task Initialize(CancellationToken cancellationToken)
    {
        await Run([Binaries.InitDb, "-D", DataDirectory, .. Options.InitDbArguments(Major)], cancellationToken);
        await File.AppendAllTextAsync(
            Path.Combine(DataDirectory, "postgresql.conf"), $"\ninclude '{SettingsFile}'\n", cancellationToken);
        await File.WriteAllTextAsync(
            Path.Combine(DataDirectory, Marker), "A throwaway cluster of the Kintsugi lab. It may be damaged on purpose.\n",
            cancellationToken);
    }

    /// <summary>Starts the server and waits until it takes connections; crash recovery happens here where it is due.</summary>
    public async Task Start(CancellationToken cancellationToken)
    {
        var refused = await TryStart(cancellationToken);
        if (refused is not null)
            throw new LabException($"PostgreSQL {Major} in {DataDirectory} did not start: {refused}");
    }

    /// <summary>Starts the server if it will; a damaged one may refuse.</summary>
    /// <returns>Null when it runs, else what it said.</returns>
    public async Task<string?> TryStart(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            Port = FreePort();
            await WriteSettings(cancellationToken);
            var logged = File.Exists(LogFile) ? new FileInfo(LogFile).Length : 0;
            var result = await ExternalCommand.Run(
                laboratory.Account.Wrap([Binaries.PgCtl, "-D", DataDirectory, "-w", "-t", "60", "-l", LogFile, "start"]),
                cancellationToken, environment: ServerAccount.CleanEnvironment);
            if (result.Succeeded)
                return null;
            var log = File.Exists(LogFile)
                ? (await File.ReadAllTextAsync(LogFile, cancellationToken))[(int)logged..]
                : result.Output;
            if (attempt == PortAttempts || !log.Contains("Address already in use", StringComparison.Ordinal))
                return log.Trim();
        }
    }

    /// <summary>Stops the server; a no-op when it is down.</summary>
    public async Task Stop(StopMode mode, CancellationToken cancellationToken)
    {
        if (!IsRunning)
            return;
        await Run(
            [Binaries.PgCtl, "-D", DataDirectory, "-w", "-t", "60", "-m", mode == StopMode.Fast ? "fast" : "immediate", "stop"],
            cancellationToken);
    }

    /// <summary>Pulls the plug: SIGKILL to the postmaster and to every backend. Start recovers.</summary>
    public Task Kill(CancellationToken cancellationToken) => ServerProcess.KillAll(DataDirectory, cancellationToken);

    /// <summary>A copy of this cluster, which has to be stopped; the copy is not started.</summary>
    public Task<ThrowawayCluster> Copy(CancellationToken cancellationToken) => IsRunning
        ? throw new LabException($"Stop the cluster in {DataDirectory} before copying it.")
        : laboratory.CopyOf(Binaries, Options, DataDirectory, cancellationToken);

    /// <summary>A hot standby that streams from this cluster; both run afterwards.</summary>
    public async Task<ThrowawayCluster> CreateStandby(CancellationToken cancellationToken)
    {
        // A clean stop makes a plain copy a valid base: the packages from npm have no pg_basebackup.
        await Stop(StopMode.Fast, cancellationToken);
        var standby = await Copy(cancellationToken);
        await Start(cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(standby.DataDirectory, "standby.signal"), "", cancellationToken);
        standby.PrimaryConnection = $"host={SocketDirectory} port={Port.ToString(CultureInfo.InvariantCulture)} user=postgres";
        await standby.Start(cancellationToken);
        return standby;
    }

    /// <summary>Brings the server down at once and removes all of its files.</summary>
    public async ValueTask DisposeAsync()
    {
        await ServerProcess.KillAll(DataDirectory, CancellationToken.None);
        foreach (var source in sources.Values)
            await source.DisposeAsync();
        await ExternalCommand.Run(["rm", "-rf", Home], CancellationToken.None);
        laboratory.Forget(this);
    }

    private string? PrimaryConnection { get; set; }

    private async Task Run(IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        var result = await ExternalCommand.Run(
            laboratory.Account.Wrap(command), cancellationToken, environment: ServerAccount.CleanEnvironment);
        if (!result.Succeeded)
            throw new LabException($"{Path.GetFileName(command[0])} ended with {result.ExitCode}: {result.Output.Trim()}");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task WriteSettings(CancellationToken cancellationToken)
    {
        var settings = new Dictionary<string, string>
        {
            ["listen_addresses"] = "127.0.0.1",
            ["port"] = Port.ToString(CultureInfo.InvariantCulture),
            ["unix_socket_directories"] = SocketDirectory,
            ["fsync"] = "off",
            ["shared_buffers"] = "16MB",
            ["min_wal_size"] = $"{2 * Options.WalSegmentMegabytes}MB",
            ["max_wal_size"] = "128MB",
            ["checkpoint_timeout"] = "1h",
            ["autovacuum"] = "off",
            ["max_connections"] = "60",
            ["max_prepared_transactions"] = "5",
            ["jit"] = "off",
            ["log_min_messages"] = "warning",
            ["log_line_prefix"] = "%m [%p] %q%a %d ",
            ["log_timezone"] = "UTC",
        };
        if (PrimaryConnection is not null)
            settings["primary_conninfo"] = PrimaryConnection;
        foreach (var (name, value) in Options.Settings)
            settings[name] = value;
        var text = string.Concat(settings.Select(s => $"{s.Key} = '{s.Value.Replace("'", "''", StringComparison.Ordinal)}'\n"));
        var path = Path.Combine(DataDirectory, SettingsFile);
        await File.WriteAllTextAsync(path, text, cancellationToken);
        await laboratory.Account.Own(path, cancellationToken);
    }
}
