using Kintsugi.Cli.Options;
using Kintsugi.Cli.Output;
using Kintsugi.Configuration;
using Kintsugi.Postgres;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Operating.Locked;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Postgres.Snapshots;
using Kintsugi.State;

namespace Kintsugi.Cli.Runtime;

/// <summary>Heals what keeps everybody out of a running server, by its files and past its damaged system indexes.</summary>
internal sealed class LockedTheatre(
    string directory, SessionFactory factory, KintsugiConfiguration configuration, StoredLedger ledger, HealArguments heal, ScrubArguments scrub,
    OutputArguments output, CliContext context)
{
    private readonly Registry registry = PostgresRegistry.LockedOut();

    /// <param name="source">The server by its files.</param>
    /// <param name="seen">What its files say.</param>
    public async ValueTask<IReadOnlyList<CaseReport>> Run(OfflineSource source, ScrubReport seen, CancellationToken cancellationToken)
    {
        var treated = new List<CaseReport>();
        foreach (var healing in Diagnosis.Cases(seen.Findings).Where(healing => heal.Cases.Count == 0 || heal.Cases.Contains(healing.Id)))
        {
            if (!output.Quiet && !output.Json)
                await context.Error.WriteLineAsync($"case {healing.Id}: {healing.Cause}");
            treated.Add(await Treat(healing, source, cancellationToken));
        }
        return treated;
    }

    /// <summary>A run that was killed in such a step left the server ignoring its system indexes: everybody gets in, slowly.</summary>
    public async ValueTask<CaseReport> Finish(HealingCase healing, CancellationToken cancellationToken) => await Treat(
        healing, await OfflineSource.Open(directory, new Pace(null, context.Clock), cancellationToken), cancellationToken);

    private async ValueTask<CaseReport> Treat(HealingCase healing, OfflineSource source, CancellationToken cancellationToken)
    {
        var stopped = await CircuitBreaker.State(ledger, source.Server.SystemIdentifier, cancellationToken);
        var policy = configuration.PolicyFor(configuration.Targets[0], healing.Database, healing.Target.Schema, healing.Target.Relation) with
        {
            Limits = null,
            Stopped = stopped,
            Consent = heal.Yes,
            Allow = heal.Allow,
        };
        var healer = new Healer(
            new Planner(registry, source), source, new Examiner(Watching(healing.Database), source, scrub.Settings.Depth),
            new LockedRoom(directory, factory, source.Server, context.Clock), new LockedCopy(Shelf.Open(configuration, context)), ledger, policy, context.Clock)
        {
            Progress = output.Quiet || output.Json ? null : new FactLine(context, output.Verbose),
        };
        return await healer.Heal(healing, cancellationToken);
    }

    /// <summary>The check that accused may have been a try at the door.</summary>
    private Registry Watching(string? database) => new([.. registry.Checks, new ConnectCheck(factory, database)], registry.Repairs);
}
