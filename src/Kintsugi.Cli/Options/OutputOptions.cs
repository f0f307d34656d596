using System.CommandLine;

namespace Kintsugi.Cli.Options;

/// <summary>How much is said and in which form.</summary>
internal sealed class OutputOptions
{
    private readonly Option<string> format = new("--format") { Description = "text or json", DefaultValueFactory = _ => "text" };
    private readonly Option<bool> quiet = new("--quiet", "-q") { Description = "only results" };
    private readonly Option<bool> verbose = new("--verbose", "-v") { Description = "also what is sound, and every reason" };

    public OutputOptions(params string[] formats)
    {
        format.AcceptOnlyFromAmong(formats);
        format.Description = string.Join(", ", formats);
    }

    public void AddTo(Command command)
    {
        command.Add(format);
        command.Add(quiet);
        command.Add(verbose);
    }

    public OutputArguments Read(ParseResult parsed) => new(parsed.GetValue(format)!, parsed.GetValue(quiet), parsed.GetValue(verbose));
}

internal sealed record OutputArguments(string Format, bool Quiet, bool Verbose)
{
    public bool Json => Format == "json";
}
