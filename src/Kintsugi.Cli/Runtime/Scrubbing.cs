using Kintsugi.Cli.Options;
using Kintsugi.Cli.Output;
using Kintsugi.State;

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
        using var journal = arguments.Resumable ? await Journal(source, arguments, context) : null;
        using var progress = new ProgressLine(context, output.Quiet);
        var report = await new Scrub(registry.Checks, source, context.Clock, progress)
        {
            Journal = journal ?? arguments.Proven,
            History = settings.TimeLimit is not null || settings.Incremental ? await History(source, context, cancellationToken) : ScrubHistory.None,
        }.Run(settings, cancellationToken);
        if (!report.TimeLimitReached)
            journal?.Complete();
        var pages = (source as IRemembersPages)?.PageLedger as PageLedgerFile;
        pages?.Close();
        if (pages is { Problem: { } problem })
            await context.Error.WriteLineAsync($"kintsugi: warning: what was seen of pages is not remembered: {problem}");
        return report;
    }

    private static async ValueTask<ScrubJournal?> Journal(IPatientSource source, ScrubArguments arguments, CliContext context)
    {
        try
        {
            var journal = ScrubJournal.Open(Memory.Directory(context), source.Server.SystemIdentifier, arguments.Words(source.Databases),
                arguments.Resume, context.Clock.GetUtcNow());
            if (journal is null && arguments.Resume)
                throw new UsageException("the same check runs in another process: wait for it, or leave out --resume");
            if (journal is { Count: 0 } && arguments.Resume)
                await context.Error.WriteLineAsync("kintsugi: no check of these options was interrupted: this one begins anew");
            return journal;
        }
        catch (StateException problem) when (!arguments.Resume)
        {
            await context.Error.WriteLineAsync($"kintsugi: warning: this check could not be resumed: {problem.Message}");
            return null;
        }
    }

    /// <summary>Without a ledger nothing was ever proven, and the check works all the same.</summary>
    private static async ValueTask<ScrubHistory> History(IPatientSource source, CliContext context, CancellationToken cancellationToken)
    {
        try
        {
            await using var ledger = Memory.Open(context);
            return await ScrubHistory.Read(ledger, source.Server.SystemIdentifier, cancellationToken);
        }
        catch (StateException problem)
        {
            await context.Error.WriteLineAsync($"kintsugi: warning: what was proven before is not known: {problem.Message}");
            return ScrubHistory.None;
        }
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
