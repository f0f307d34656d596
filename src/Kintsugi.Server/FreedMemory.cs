using System.Runtime.InteropServices;

namespace Kintsugi.Server;

/// <summary>
/// Gives freed memory of the C library back to the machine once a minute: glibc keeps what SQLite and the sockets have freed in a heap for nearly every
/// thread, and in a service that works in short bursts on changing threads that grows for hours.
/// </summary>
internal sealed partial class FreedMemory(TimeProvider clock) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMinutes(1), clock);
        while (GiveBack() && await timer.WaitForNextTickAsync(stoppingToken))
        {
            // Once more.
        }
    }

    /// <returns>False where the C library keeps nothing that could be asked for.</returns>
    private static bool GiveBack()
    {
        try
        {
            _ = Trim(0);
            return true;
        }
        catch (Exception other) when (other is EntryPointNotFoundException or DllNotFoundException)
        {
            // Not glibc.
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Trim(nuint keep);
}
