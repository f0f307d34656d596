using System.CommandLine;
using Kintsugi.Cli.Runtime;

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

    public OutputArguments Read(ParseResult parsed) => parsed.GetValue(quiet) && parsed.GetValue(verbose)
        ? throw new UsageException("--quiet and --verbose contradict each other: give one of them")
        : new OutputArguments(parsed.GetValue(format)!, parsed.GetValue(quiet), parsed.GetValue(verbose));

    /// <summary>The form alone, for saying in it that the rest cannot be read.</summary>
    public string FormatOf(ParseResult parsed) => parsed.GetValue(format)!;
}

internal sealed record OutputArguments(string Format, bool Quiet, bool Verbose)
{
    public bool Json => Format == "json";
}
