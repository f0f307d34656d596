using Kintsugi.Configuration;
using Kintsugi.Postgres.Connecting;
using Kintsugi.State;

namespace Kintsugi.Cli.Runtime;

/// <summary>The books of the service in the state directory: what is written there, the service reads within seconds.</summary>
internal static class ServiceDesk
{
    /// <summary>The service's own names for what it does and for what stops it.</summary>
    public const string Repairs = "repairs", Repair = "db.repair";
    public static readonly IReadOnlyList<string> Jobs = ["db.health_check", "db.index_check", "db.orphan_cleanup", "db.checksum_verify", Repair];

    public static string SwitchOf(string job) => $"job:{job}";

    /// <summary>The books of this machine's service, or those that all nodes share.</summary>
    /// <exception cref="StateException">The state directory, the file or the database cannot be used.</exception>
    public static StateStore Open(CliContext context) => Memory.Configured(context)?.Postgres is { } shared
        ? PostgresStore.Open(DriverSettings.OfOurOwn(shared, context.Around))
        : ServiceFile.Open(Memory.Directory(context).Service);

    /// <summary>The nodes that were heard of within a lease.</summary>
    public static IReadOnlyList<WorkingNode> Nodes(StateStore store, CliContext context)
    {
        var nodes = new NodeBook(store);
        return nodes.Seen(nodes.Now(context.Clock) - (Memory.Configured(context) ?? new LedgerConfiguration(null, null)).Lease);
    }

    /// <exception cref="UsageException">There is no such job.</exception>
    public static string Known(string job) => Jobs.Contains(job) ? job
        : Jobs.FirstOrDefault(known => known == $"db.{job}")
            ?? throw new UsageException($"there is no job {job}; there are: {string.Join(", ", Jobs)}");

    /// <summary>
    /// Whether a service works with these books now: with a state directory it holds a lock there that the kernel frees however it ends.
    /// </summary>
    public static bool IsServed(StateStore store, CliContext context)
    {
        if (store.IsShared)
            return Nodes(store, context).Count > 0;
        try
        {
            using var free = new FileStream(Path.Combine(Memory.Directory(context).Path, "service.lock"), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    public static async ValueTask WarnWhenNotServed(StateStore store, CliContext context)
    {
        if (!IsServed(store, context))
            await context.Error.WriteLineAsync($"kintsugi: no service works with {store.Place} now: it holds when one is started");
    }
}
