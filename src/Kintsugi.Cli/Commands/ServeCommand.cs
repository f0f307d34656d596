using System.CommandLine;
using System.Runtime.InteropServices;
using Kintsugi.Cli.Runtime;

namespace Kintsugi.Cli.Commands;

/// <summary>The daemon is a program of its own, so that this one starts at once: it takes this one's place, with the same arguments.</summary>
internal static partial class ServeCommand
{
    private const string Program = "kintsugi-server";

    public static Command Create()
    {
        var command = new Command("serve", "Watch and heal without a person: kintsugi serve -c config.yaml --listen 127.0.0.1:9432.")
        {
            TreatUnmatchedTokensAsErrors = false,
        };
        command.SetAction(parsed => Become(Find(), parsed.UnmatchedTokens));
        return command;
    }

    /// <summary>Beside this program, or where a build of the tree puts it.</summary>
    private static string Find()
    {
        var here = AppContext.BaseDirectory;
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(here));
        string[] places = [Path.Combine(here, Program), Path.GetFullPath(Path.Combine(here, "..", "..", "Kintsugi.Server", configuration, Program))];
        return places.FirstOrDefault(File.Exists)
            ?? throw new UsageException($"the program {Program} is not installed: it belongs beside this one ({places[0]})");
    }

    private static int Become(string program, IReadOnlyList<string> arguments)
    {
        Execute(program, [program, .. arguments, null]);
        throw new UsageException($"{program} could not be started: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
    }

    [LibraryImport("libc", EntryPoint = "execv", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string path, string?[] arguments);
}
