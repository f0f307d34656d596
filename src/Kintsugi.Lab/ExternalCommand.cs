using System.ComponentModel;
using System.Diagnostics;

namespace Kintsugi.Lab;

/// <summary>
/// What a finished program left behind. <paramref name="Output"/> is standard output and standard error together.
/// </summary>
internal sealed record CommandResult(int ExitCode, string Output)
{
    public bool Succeeded => ExitCode == 0;
}

/// <summary>Runs the few programs the lab cannot do without: initdb, pg_ctl, cp, npm, apt-get.</summary>
internal static class ExternalCommand
{
    /// <summary>The shell's own code for a program that is not there.</summary>
    public const int NotFound = 127;

    public static async Task<CommandResult> Run(
        IReadOnlyList<string> command, CancellationToken cancellationToken, string? workingDirectory = null,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(command[0])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            WorkingDirectory = workingDirectory ?? "/",
        };
        foreach (var argument in command.Skip(1))
            start.ArgumentList.Add(argument);
        if (environment is not null)
        {
            start.Environment.Clear();
            foreach (var (name, value) in environment)
                start.Environment[name] = value;
        }

        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception missing)
        {
            return new CommandResult(NotFound, $"{command[0]}: {missing.Message}");
        }
        using (process)
            return await Finish(process, cancellationToken);
    }

    /// <summary>Runs and returns the output, or throws with the command and all that it said.</summary>
    public static async Task<string> Require(IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        var result = await Run(command, cancellationToken);
        return result.Succeeded
            ? result.Output
            : throw new LabException($"{string.Join(' ', command)} ended with {result.ExitCode}: {result.Output.Trim()}");
    }

    private static async Task<CommandResult> Finish(Process process, CancellationToken cancellationToken)
    {
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            await process.WaitForExitAsync(cancellationToken);
            return new CommandResult(process.ExitCode, await output + await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }
}
