using Kintsugi.Configuration;
using Kintsugi.Postgres.Connecting;
using Kintsugi.State;

namespace Kintsugi.Cli.Runtime;

/// <summary>Keeps what a scrub has proven in the ledger. A check must also work where nothing can be kept, and then says so.</summary>
internal static class Memory
{
    public static ValueTask<Baseline> Keep(Clinic clinic, ScrubReport report, CliContext context, CancellationToken cancellationToken) =>
        Keep(clinic.Server, report, clinic.Breaker, context, cancellationToken);

    /// <summary>Of files that may be a copy: what is wrong with them stops no repair of the living server, whose name they bear.</summary>
    public static ValueTask<Baseline> Keep(Capabilities server, ScrubReport report, CliContext context, CancellationToken cancellationToken) =>
        Keep(server, report, null, context, cancellationToken);

    private static async ValueTask<Baseline> Keep(
        Capabilities server, ScrubReport report, BreakerLimits? breaker, CliContext context, CancellationToken cancellationToken)
    {
        try
        {
            await using var ledger = Open(context);
            if (breaker is not null
                && await CircuitBreaker.Watch(ledger, server.SystemIdentifier, report, breaker, context.Clock.GetUtcNow(), cancellationToken) is { } stopped)
                await context.Error.WriteLineAsync($"kintsugi: {stopped}");
            await ledger.RecordProofs(server.SystemIdentifier, report, cancellationToken);
            return await Baseline.Of(ledger, server.SystemIdentifier, report.Findings, context.Clock.GetUtcNow(), cancellationToken);
        }
        catch (StateException problem)
        {
            await context.Error.WriteLineAsync($"kintsugi: warning: what was proven is not kept: {problem.Message}");
            return Baseline.None;
        }
    }

    /// <summary>The ledger that the configuration names, if one is given; else the one in the state directory.</summary>
    /// <exception cref="StateException">The state directory or the ledger cannot be used.</exception>
    public static StoredLedger Open(CliContext context) => Configured(context) switch
    {
        { Postgres: { } shared } => PostgresLedger.Open(DriverSettings.OfOurOwn(shared, context.Around)),
        { Sqlite: { } path } => SqliteLedger.Open(path),
        _ => SqliteLedger.Open(Directory(context)),
    };

    /// <summary>The ledger for a repair of that server, which must not lie on it: it would be lost with what it tells of, and some repairs stop that server.</summary>
    /// <exception cref="StateException">It cannot be used, or lies there and the owner did not allow it.</exception>
    public static StoredLedger OpenBeside(Capabilities server, CliContext context)
    {
        var ledger = Open(context);
        if (ledger is not PostgresLedger shared || shared.SystemIdentifier != server.SystemIdentifier || Configured(context) is { AllowOnTarget: true })
            return ledger;
        ledger.Dispose();
        throw new StateException($"the ledger {ledger.Place} lies on the server that is to be healed: keep it on another server, or write "
            + "ledger: { allow_on_target: true }");
    }

    public static LedgerConfiguration? Configured(CliContext context) => ConfigurationFile.IsNamed(context.ConfigFile, context)
        ? ConfigurationFile.Load(context.ConfigFile, context).Ledger : null;

    /// <summary>What is remembered of pages; null where the state directory cannot be used, which the keeping of proofs says.</summary>
    public static PageLedgerFile? Pages(CliContext context)
    {
        try
        {
            return new PageLedgerFile(Directory(context).Pages, context.Clock);
        }
        catch (StateException)
        {
            return null;
        }
    }

    public static StateDirectory Directory(CliContext context) => StateDirectory.Open(StateDirectory.Locate(null, context.Variable));
}
