using System.Runtime.InteropServices;

namespace Kintsugi.Cli.Runtime;

/// <summary>On the server's own machine our reading takes processor time and disk from those who work there: they come first.</summary>
internal static partial class Courtesy
{
    private const int Steps = 10;

    /// <summary>
    /// Lowers the priority of this thread and of all that it and they begin from here on, on Linux; the priority of reads follows it (nice(2), ioprio_set(2)).
    /// Nothing is held up by it where nobody else wants the processor. Where it is refused, all stays as it is.
    /// </summary>
    public static void StandBack()
    {
        if (OperatingSystem.IsLinux())
            _ = Nice(Steps);
    }

    [LibraryImport("libc", EntryPoint = "nice")]
    private static partial int Nice(int increment);
}
