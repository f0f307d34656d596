using System.Runtime.InteropServices;

namespace Kintsugi.Cli.Runtime;

/// <summary>The daemon is a program of its own, so that this one starts at once: it takes this one's place.</summary>
internal static partial class ServerProgram
{
    private const string Name = "kintsugi-server";

    /// <exception cref="UsageException">It is not installed, or cannot be started.</exception>
    public static int Become(params IReadOnlyList<string> arguments)
    {
        var program = Find();
        Execute(program, [program, .. arguments, null]);
        throw new UsageException($"{program} could not be started: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
    }

    /// <summary>Beside this program, or where a build of the tree puts it.</summary>
    private static string Find()
    {
        var here = AppContext.BaseDirectory;
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(here));
        string[] places = [Path.Combine(here, Name), Path.GetFullPath(Path.Combine(here, "..", "..", "Kintsugi.Server", configuration, Name))];
        return places.FirstOrDefault(File.Exists)
            ?? throw new UsageException($"the program {Name} is not installed: it belongs beside this one ({places[0]})");
    }

    [LibraryImport("libc", EntryPoint = "execv", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string path, string?[] arguments);
}
