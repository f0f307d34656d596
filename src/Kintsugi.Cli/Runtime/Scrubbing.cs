using Kintsugi.Cli.Options;
using Kintsugi.Cli.Output;

namespace Kintsugi.Cli.Runtime;

/// <summary>One scrub as the command line asks for it, with progress on the terminal.</summary>
internal static class Scrubbing
{
    /// <exception cref="UsageException">A check's name or a pattern means nothing.</exception>
    public static ValueTask<ScrubReport> Run(
        Clinic clinic, ScrubArguments arguments, OutputArguments output, CliContext context, CancellationToken cancellationToken) =>
        Run(clinic.Source, clinic.Registry, arguments, output, context, cancellationToken);

    /// <inheritdoc cref="Run(Clinic, ScrubArguments, OutputArguments, CliContext, CancellationToken)"/>
    public static async ValueTask<ScrubReport> Run(
        IPatientSource source, Registry registry, ScrubArguments arguments, OutputArguments output, CliContext context,
        CancellationToken cancellationToken)
    {
        var settings = await Settle(source, registry, arguments, cancellationToken);
        using var progress = new ProgressLine(context, output.Quiet);
        return await new Scrub(registry.Checks, source, context.Clock, progress).Run(settings, cancellationToken);
    }

    private static async ValueTask<ScrubSettings> Settle(
        IPatientSource source, Registry registry, ScrubArguments arguments, CancellationToken cancellationToken)
    {
        var known = registry.Checks.Select(check => check.Id).ToHashSet();
        foreach (var name in arguments.Settings.Only.Concat(arguments.Settings.Skip))
            if (!known.Contains(name))
                throw new UsageException($"there is no check called {name}; there are: {string.Join(", ", known.Order(StringComparer.Ordinal))}");
        foreach (var check in registry.Checks.Where(check => arguments.Settings.Only.Contains(check.Id)))
            if (check.Depth > arguments.Settings.Depth)
                throw new UsageException($"check {check.Id} runs from depth {check.Depth.ToString().ToLowerInvariant()}; add --depth");
        if (arguments.Selection.Filter is not { } filter)
            return arguments.Settings;
        var inventories = new List<Inventory>();
        foreach (var database in source.Databases)
        {
            var patient = await source.Open(database, cancellationToken);
            await using var session = patient.Sql;
            inventories.Add(patient.Relations);
        }
        arguments.Selection.Validate(inventories);
        return arguments.Settings with { Includes = filter };
    }
}
