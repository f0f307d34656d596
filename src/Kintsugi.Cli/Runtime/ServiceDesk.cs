using Kintsugi.State;

namespace Kintsugi.Cli.Runtime;

/// <summary>The books of the service in the state directory: what is written there, the service reads within seconds.</summary>
internal static class ServiceDesk
{
    /// <summary>The service's own names for what it does and for what stops it.</summary>
    public const string Repairs = "repairs", Repair = "db.repair";
    public static readonly IReadOnlyList<string> Jobs = ["db.health_check", "db.index_check", "db.orphan_cleanup", "db.checksum_verify", Repair];

    public static string SwitchOf(string job) => $"job:{job}";

    /// <exception cref="StateException">The state directory or the file cannot be used.</exception>
    public static ServiceStore Open(CliContext context) => new(Memory.Directory(context).Service);

    /// <exception cref="UsageException">There is no such job.</exception>
    public static string Known(string job) => Jobs.Contains(job) ? job
        : Jobs.FirstOrDefault(known => known == $"db.{job}")
            ?? throw new UsageException($"there is no job {job}; there are: {string.Join(", ", Jobs)}");

    /// <summary>Whether a service works with this state directory now: it holds a lock there that the kernel frees however it ends.</summary>
    public static bool IsServed(CliContext context)
    {
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

    public static async ValueTask WarnWhenNotServed(CliContext context)
    {
        if (!IsServed(context))
            await context.Error.WriteLineAsync($"kintsugi: no service works with the state directory {Memory.Directory(context).Path} now: it holds when one is started");
    }
}
