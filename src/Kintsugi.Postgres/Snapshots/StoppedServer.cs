using System.Globalization;
using System.Text.Json;
using Kintsugi.Postgres.Files;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Scratch;

namespace Kintsugi.Postgres.Snapshots;

/// <summary>
/// A server that Kintsugi has stopped and owes a start. The journal is on disk before the stop and goes after the start: whoever comes next, should this process
/// be killed in between, starts it (<see cref="StartOwed"/>).
/// </summary>
public sealed class StoppedServer
{
    private const string Log = "kintsugi-start.log";
    private readonly string journal;
    private readonly Debt debt;

    private StoppedServer(string journal, Debt debt)
    {
        this.journal = journal;
        this.debt = debt;
    }

    private sealed record Debt(string Directory, string? Start, string Programs, string Options, string Owner, string Since);

    /// <exception cref="HealingException">It could not be stopped; then it runs on.</exception>
    internal static async ValueTask<StoppedServer> Stop(
        string directory, ClusterProvider.StopCopyStart provider, TimeProvider clock, CancellationToken cancellationToken)
    {
        var major = DataDirectory.Open(directory).Major;
        var debt = new Debt(directory, provider.Start, provider is { Start: not null, Stop: not null } ? "" : ServerPrograms.Find(major, null, directory), Options(directory),
            ProcessSignature.Own, clock.GetUtcNow().ToString("O", CultureInfo.InvariantCulture));
        var server = new StoppedServer(provider.Journal, debt);
        server.WriteJournal();
        try
        {
            if (provider.Stop is { } command)
                await OwnersCommand.Run("the server could not be stopped for the snapshot, so nothing is repaired", command, Values(directory), cancellationToken);
            else
                await ScratchAccount.Run(Account(directory).Command(
                    [Path.Combine(debt.Programs, "pg_ctl"), "stop", "-D", directory, "-m", "fast", "-w", "-t", "600"]), cancellationToken);
            if (DataDirectory.Open(directory).ServerPid is { } pid)
                throw new HealingException($"a server (process {pid}) still runs on {directory} after the command that stops it: no snapshot, no repair", mayPass: false);
            return server;
        }
        catch
        {
            await server.Start(CancellationToken.None);
            throw;
        }
    }

    /// <summary>Starts it unless it runs (a service manager may have been quicker), and takes the debt off.</summary>
    /// <exception cref="HealingException">It does not start; the journal stays, and so does what to do.</exception>
    public async ValueTask Start(CancellationToken cancellationToken)
    {
        try
        {
            if (DataDirectory.Open(debt.Directory).ServerPid is null)
            {
                if (debt.Start is { } command)
                    await OwnersCommand.Run("the server could not be started again", command, Values(debt.Directory), cancellationToken);
                else
                    await ScratchAccount.Run(Account(debt.Directory).Command([Path.Combine(debt.Programs, "pg_ctl"), "start", "-D", debt.Directory, "-w", "-t", "600",
                        "-l", Path.Combine(debt.Directory, Log), .. debt.Options.Length > 0 ? ["-o", debt.Options] : Array.Empty<string>()]), cancellationToken);
            }
            File.Delete(journal);
        }
        catch (HealingException problem)
        {
            throw new HealingException($"THE SERVER ON {debt.Directory} IS STOPPED since {debt.Since} and could not be started again: {problem.Message}. Start it by hand; "
                + "each run of kintsugi tries again", mayPass: false, problem);
        }
    }

    /// <summary>Starts a server that a killed run has left stopped.</summary>
    /// <returns>What was done, or null when nothing is owed.</returns>
    public static async ValueTask<string?> StartOwed(string journal, CancellationToken cancellationToken)
    {
        if (!File.Exists(journal) || Read(journal) is not { } debt)
            return null;
        if (ProcessSignature.IsAlive(debt.Owner))
            return null;
        await new StoppedServer(journal, debt).Start(cancellationToken);
        return $"the server on {debt.Directory}, which a run that was killed had stopped for a snapshot at {debt.Since}, was started again";
    }

    private static ScratchAccount Account(string directory) => new(Environment.IsPrivilegedProcess ? FileOwner.Of(directory) : null);

    private static Dictionary<string, string> Values(string directory) => new() { ["directory"] = directory };

    /// <summary>postmaster.opts keeps the command line: on Debian it names the configuration, which lies elsewhere.</summary>
    private static string Options(string directory)
    {
        var file = Path.Combine(directory, "postmaster.opts");
        var line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault() ?? "" : "";
        var at = line.IndexOf(" \"", StringComparison.Ordinal);
        return at < 0 ? "" : line[(at + 1)..].Trim();
    }

    private void WriteJournal()
    {
        var draft = journal + ".new";
        using (var file = new FileStream(draft, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
        {
            using (var json = new Utf8JsonWriter(file))
            {
                json.WriteStartObject();
                json.WriteString("directory", debt.Directory);
                json.WriteString("start", debt.Start);
                json.WriteString("programs", debt.Programs);
                json.WriteString("options", debt.Options);
                json.WriteString("owner", debt.Owner);
                json.WriteString("since", debt.Since);
                json.WriteEndObject();
            }
            file.Flush(flushToDisk: true);
        }
        File.Move(draft, journal, overwrite: true);
        Operating.Stopped.Durable.Names(Path.GetDirectoryName(Path.GetFullPath(journal))!);
    }

    private static Debt? Read(string journal)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(journal));
        var root = json.RootElement;
        return new Debt(root.GetProperty("directory").GetString()!, root.GetProperty("start").GetString(), root.GetProperty("programs").GetString()!,
            root.GetProperty("options").GetString()!, root.GetProperty("owner").GetString()!, root.GetProperty("since").GetString()!);
    }
}
