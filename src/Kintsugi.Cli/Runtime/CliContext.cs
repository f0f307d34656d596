using Kintsugi.Postgres.Connecting;

namespace Kintsugi.Cli.Runtime;

/// <summary>What a command takes from around the process: passed in, so that a test runs commands in its own process.</summary>
internal sealed record CliContext
{
    public required TextWriter Out { get; init; }
    public required TextWriter Error { get; init; }
    public required TextReader In { get; init; }
    public required ConnectionSurroundings Around { get; init; }
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>What --config names, whichever command it was given to; our memory lies where that file says.</summary>
    public string? ConfigFile { get; init; }

    /// <summary>Somebody sits there to answer a question.</summary>
    public bool Interactive { get; init; }
    public bool ErrorIsTerminal { get; init; }
    public bool Colour { get; init; }

    /// <summary>Called before work that can wait for others on this machine.</summary>
    public Action StandBack { get; init; } = () => { };

    public string? Variable(string name) => Around.Variable(name);

    public static CliContext OfThisProcess()
    {
        var around = ConnectionSurroundings.OfThisProcess();
        return new CliContext
        {
            Out = Console.Out,
            Error = Console.Error,
            In = Console.In,
            Around = around,
            Interactive = !Console.IsInputRedirected && !Console.IsErrorRedirected,
            ErrorIsTerminal = !Console.IsErrorRedirected,
            StandBack = Courtesy.StandBack,
            Colour = !Console.IsOutputRedirected && string.IsNullOrEmpty(around.Variable("NO_COLOR")) && around.Variable("TERM") != "dumb",
        };
    }
}

/// <summary>The person asked for something that cannot be: one clear message, exit 1, nothing changed.</summary>
internal sealed class UsageException(string message) : Exception(message);
