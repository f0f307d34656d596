using System.CommandLine;
using System.CommandLine.Help;
using Kintsugi.Cli.Commands;
using Kintsugi.Cli.Options;
using Kintsugi.Cli.Output;
using Kintsugi.Cli.Runtime;
using Kintsugi.Postgres.Connecting;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.State;

namespace Kintsugi.Cli;

/// <summary>The command line: one file per command under Commands.</summary>
internal static class Application
{
    public static async Task<int> Run(string[] arguments, CliContext context, CancellationToken cancellationToken)
    {
        var parsed = Parse(arguments, context);
        // Our own memory lies where that file says, for every command alike.
        if (BooksOption.Given(parsed) is { } file)
            parsed = Parse(arguments, context = context with { ConfigFile = file });
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
                await context.Error.WriteLineAsync($"kintsugi: {error.Message}");
            if (Nagios.IsAskedFor(arguments))
                return await Nagios.CouldNotRun(context, parsed.Errors[0].Message);
            await context.Error.WriteLineAsync($"Try \"kintsugi {CommandPath(parsed)}--help\".");
            return ExitCodes.CouldNotRun;
        }
        try
        {
            return await parsed.InvokeAsync(
                new InvocationConfiguration
                {
                    Output = context.Out,
                    Error = context.Error,
                    EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = null,
                },
                cancellationToken);
        }
        catch (Exception problem) when (cancellationToken.IsCancellationRequested && problem is OperationCanceledException or PatientException)
        {
            await context.Error.WriteLineAsync("kintsugi: interrupted; nothing is left running on the server");
            return ExitCodes.Interrupted;
        }
        catch (Exception problem) when (Failures.Explain(problem) is { } message)
        {
            await context.Error.WriteLineAsync($"kintsugi: {message}");
            return ExitCodes.CouldNotRun;
        }
        catch (Exception defect)
        {
            // The last resort of the whole program: a defect is told as one, and a script gets the exit code of "could not run".
            await context.Error.WriteLineAsync(Failures.Defect(defect, Verbose(parsed)));
            return ExitCodes.CouldNotRun;
        }
    }

    private static ParseResult Parse(string[] arguments, CliContext context) =>
        Root(context).Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });

    private static bool Verbose(ParseResult parsed) =>
        parsed.CommandResult.Command.Options.OfType<Option<bool>>().FirstOrDefault(option => option.Name == "--verbose") is { } verbose
        && parsed.GetValue(verbose);

    private static RootCommand Root(CliContext context)
    {
        var root = new RootCommand("Finds corruption and inconsistency in PostgreSQL, saves what is broken, repairs it, and proves the repair.");
        foreach (var help in root.Options.OfType<HelpOption>())
        {
            // -h is the host, as in psql.
            help.Aliases.Remove("-h");
            help.Aliases.Remove("/h");
            help.Aliases.Remove("/?");
        }
        foreach (var version in root.Options.OfType<VersionOption>())
            version.Aliases.Add("-V");
        foreach (var command in AllCommands.Create(context))
            root.Add(command);
        return root;
    }

    private static string CommandPath(ParseResult parsed) =>
        parsed.CommandResult.Command is RootCommand ? "" : $"{parsed.CommandResult.Command.Name} ";
}

/// <summary>The failures that are told in one sentence; anything else is a defect and keeps its stack.</summary>
internal static class Failures
{
    /// <summary>What is said of an exception that nobody foresaw; the stack is for whoever mends it.</summary>
    public static string Defect(Exception defect, bool verbose) =>
        $"kintsugi: this is a defect in Kintsugi: {defect.GetType().Name}: {defect.Message.ReplaceLineEndings(" ")}\n"
        + (verbose ? $"{defect.StackTrace}\nPlease report it to Kintsugi's maintainers with the command and these lines."
            : "Please report it to Kintsugi's maintainers with the command; --verbose adds the lines that they need.");

    public static string? Explain(Exception problem) => problem switch
    {
        UsageException or ConnectionSettingsException or StateException or HealingException => problem.Message,
        PatientException refused => refused.SqlState is null ? refused.Message : $"{refused.Message} (SQLSTATE {refused.SqlState})",
        DataDirectoryException directory => directory.Message,
        Lab.LabException lab => lab.Message,
        _ => null,
    };
}
