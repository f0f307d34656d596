using System.Diagnostics;
using System.Text;
using Npgsql;

namespace Kintsugi.Postgres.Scratch;

/// <summary>
/// A server on a laid-out copy of a cluster, for looking into it: on a private socket, under another account than the living
/// server where we may
/// choose, unable to reach archive, primary or subscriber of the original. The copy is changed by recovery; the
/// snapshot is not.
/// </summary>
public sealed class ScratchServer : IAsyncDisposable
{
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    private readonly string binaries;
    private readonly string data;
    private readonly ScratchAccount account;
    private readonly Process process;
    private readonly StringBuilder log = new();

    private ScratchServer(string binaries, string data, string sockets, ScratchAccount account, Process process)
    {
        this.binaries = binaries;
        this.data = data;
        this.account = account;
        this.process = process;
        SocketDirectory = sockets;
    }

    public string SocketDirectory { get; }

    public string ConnectionString(string database, string user) => new NpgsqlConnectionStringBuilder
    {
        Host = SocketDirectory,
        Port = ScratchDirectory.Port,
        Database = database,
        Username = user,
        Pooling = false,
    }.ToString();

    /// <param name="binaries">The directory of postgres and pg_ctl, of the copy's major.</param>
    /// <param name="data">The data directory of the copy; everything of the copy lies in the directory above it.</param>
    /// <param name="livingOwner">The uid of the living server's files, which this server must not be able to touch; null when
    /// there is none.</param>
    /// <exception cref="HealingException">A link leads out of the copy, or the server does not start: its own words are in the
    /// message.</exception>
    public static ValueTask<ScratchServer> Start(
        string binaries, string data, int? livingOwner, TimeProvider clock, CancellationToken cancellationToken) =>
        Start(binaries, data, livingOwner, "", clock, cancellationToken);

    /// <param name="settings">More lines for its configuration.</param>
    /// <inheritdoc cref="Start(string, string, int?, TimeProvider, CancellationToken)"/>
    internal static async ValueTask<ScratchServer> Start(
        string binaries, string data, int? livingOwner, string settings, TimeProvider clock, CancellationToken cancellationToken)
    {
        var directory = new ScratchDirectory(data);
        directory.RefuseLinksThatLeave();
        var account = ScratchAccount.Choose(livingOwner);
        var sockets = directory.Prepare(settings);
        await account.Own(directory.Root, cancellationToken);
        await account.Own(sockets, cancellationToken);
        var start = account.Command([Path.Combine(binaries, "postgres"), "-D", data, "-c",
            $"config_file={directory.Configuration}"]);
        start.WorkingDirectory = "/";
        var process = Process.Start(start) ?? throw new HealingException("the scratch server could not be started",
            mayPass: false);
        var server = new ScratchServer(binaries, data, sockets, account, process);
        process.OutputDataReceived += server.Take;
        process.ErrorDataReceived += server.Take;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await server.AwaitReady(clock, cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Recovery takes as long as it takes; postmaster.pid tells when it is over (its eighth line: miscinit.h,
    /// LOCK_FILE_LINE_PM_STATUS).
    /// </summary>
    private async ValueTask AwaitReady(TimeProvider clock, CancellationToken cancellationToken)
    {
        var lockFile = Path.Combine(data, "postmaster.pid");
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100), clock);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            if (process.HasExited)
            {
                await process.WaitForExitAsync(cancellationToken);
                throw new HealingException($"the copy in {data} does not start as a server. Its last words:\n{LastWords()}",
                    mayPass: false);
            }
            if (File.Exists(lockFile) && File.ReadLines(lockFile).Skip(7).FirstOrDefault()?.Trim() == "ready")
                return;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            using var limit = new CancellationTokenSource(StopLimit);
            try
            {
                await ScratchAccount.Run(
                    account.Command([Path.Combine(binaries, "pg_ctl"), "stop", "-D", data, "-m", "immediate", "-w"]),
                        limit.Token);
                await process.WaitForExitAsync(limit.Token);
            }
            catch (Exception stuck) when (stuck is HealingException or OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
            }
        }
        process.Dispose();
        if (Directory.Exists(SocketDirectory))
            Directory.Delete(SocketDirectory, recursive: true);
    }

    private void Take(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null)
            return;
        lock (log)
            log.AppendLine(line.Data);
    }

    private string LastWords()
    {
        lock (log)
            return string.Join('\n', log.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(12));
    }
}
