using System.CommandLine;

namespace Kintsugi.Cli.Options;

/// <summary>--config of a command that touches no patient, only the ledger and the service's books: the file says where these are.</summary>
internal static class BooksOption
{
    private const string Name = "--config";

    public static void AddTo(Command command) => command.Add(new Option<string?>(Name, "-c")
    {
        Description = "configuration file that names the ledger (default: $KINTSUGI_CONFIG, else the state directory)", Recursive = true,
    });

    /// <summary>What was given to this command or to the one that it belongs to.</summary>
    public static string? Given(ParseResult parsed)
    {
        for (var at = parsed.CommandResult; at is not null; at = at.Parent as System.CommandLine.Parsing.CommandResult)
            if (at.Command.Options.OfType<Option<string?>>().FirstOrDefault(option => option.Name == Name) is { } option && parsed.GetValue(option) is { } file)
                return file;
        return null;
    }
}
