using System.Runtime.InteropServices;

namespace Kintsugi.Server;

/// <summary>
/// glibc gives nearly every thread a heap of its own and keeps what was freed in each of them: of a service that works in short bursts on changing threads
/// half the memory was that. Two heaps are enough for it.
/// </summary>
internal static partial class NativeMemory
{
    private const int MostHeaps = -8; // M_ARENA_MAX of malloc.h

    public static void KeepFewHeaps()
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            _ = SetOption(MostHeaps, 2);
        }
        catch (EntryPointNotFoundException)
        {
            // Another C library than glibc, which has no such heaps.
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetOption(int option, int value);
}
