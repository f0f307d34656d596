using Kintsugi.Configuration;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Snapshots;
using Kintsugi.State;
using Microsoft.Extensions.Logging;

namespace Kintsugi.Hosting;

/// <summary>db.repair: one case through the healer, as the policy of its place allows; done twice it does nothing the second time.</summary>
internal sealed class Repairing(
    TargetBoard board, ConfigurationSource configuration, StoredLedger ledger, StateDirectory state, Leadership leadership, KintsugiMeter meter,
    KintsugiTraces traces, CaseAlerts caseAlerts, TimeProvider clock, ILogger<Repairing> log)
{
    /// <returns>The outcome's word and reason, and how many rows were touched.</returns>
    public async ValueTask<(string Outcome, string? Why, long Rows)> Treat(string target, string caseId, CancellationToken cancellationToken)
    {
        await StoppedServer.StartOwed(state.StoppedServer, cancellationToken);
        await using var ward = await board.Enter(target, cancellationToken);
        using var turn = await leadership.Take(ward.Server, cancellationToken);
        if (turn is null)
            return ("skipped", "another node is at work on this server", 0);
        var row = (await ledger.Cases(ward.Server, cancellationToken)).FirstOrDefault(row => row.Id == caseId);
        if (row is null || Triage.IsClosed(row) || row.State is "rejected")
            return ("skipped", row is null ? "there is no such case on this server" : $"it is {row.State}", 0);
        // It may have been put in the queue before.
        if (new CaseHistory(await ledger.FactsOf(caseId, cancellationToken)).Word.Accepted > clock.GetUtcNow())
            return ("skipped", "a person accepted it as it is", 0);
        if (await CaseFiling.Read(ledger, row, cancellationToken) is not { } healing)
            return ("skipped", "what was recorded of it is of another version", 0);
        var policy = await PolicyFor(healing, ward, cancellationToken);
        var shelf = new SnapshotStore(configuration.Current.Snapshots.Directory ?? state.Snapshots,
            new SnapshotStoreSettings { Rate = configuration.Current.Snapshots.Rate }, clock);
        using var trace = traces.Repair();
        var healer = new Healer(
            new Planner(ward.Registry, ward.Source), ward.Source, new Examiner(ward.Registry, ward.Source, Depth.Standard),
            new FencedRoom(new OperatingRoom(ward.Factory, ward.Source.Server, clock), turn), Taker(shelf, ward), new FencedLedger(ledger, turn), policy, clock)
        {
            Proven = (report, stop) =>
            {
                turn.MustBeOurs();
                return Audit(ward, report, stop);
            },
            Progress = trace,
        };
        var report = await healer.Heal(healing, cancellationToken);
        await CircuitBreaker.Heed(ledger, ward.Server, report, clock.GetUtcNow(), cancellationToken);
        meter.Ended(report);
        Log.Ended(log, healing.Id, target, report.Outcome.Word, report.Outcome.Why);
        await caseAlerts.Follow(target, ward.Server, cancellationToken);
        await Prune(shelf, cancellationToken);
        return (report.Outcome.Word, report.Outcome.Why, report.RowsChanged + report.RowsQuarantined);
    }

    private SnapshotTaker Taker(SnapshotStore shelf, Ward ward)
    {
        var snapshots = configuration.Current.Snapshots;
        return new SnapshotTaker(shelf, ward.Factory)
        {
            Provider = ClusterProvider.From(
                snapshots.Command, snapshots.Provider == SnapshotProvider.StopCopyStart, snapshots.Stop, snapshots.Start, state.StoppedServer),
            Clock = clock,
        };
    }

    /// <summary>What the owner allows at that place now.</summary>
    private async ValueTask<Policy> PolicyFor(HealingCase healing, Ward ward, CancellationToken cancellationToken)
    {
        var policy = configuration.Current.ServicePolicyFor(
            ward.Target, healing.Fault, healing.Database, healing.Target.Schema, healing.Target.Relation);
        return policy with
        {
            Stopped = await CircuitBreaker.State(ledger, ward.Server, cancellationToken),
            RowsHeld = await Seasoning.WhyHeld(ledger, healing, ward.Target.Policy, cancellationToken)
                ?? await UnderLoad.WhyHeld(healing, ward.Source, cancellationToken),
        };
    }

    private async ValueTask Audit(Ward ward, CaseReport report, CancellationToken cancellationToken)
    {
        if (report.Case.Database is not { } database)
            return;
        try
        {
            await PatientAudit.Write(ward.Factory, database, report, cancellationToken);
        }
        catch (Exception problem) when (problem is PatientException or HealingException)
        {
            Log.NotAudited(log, report.Case.Id, problem.Message);
        }
    }

    /// <summary>Keeps as many snapshots as the owner said; those of open cases stay.</summary>
    private async ValueTask Prune(SnapshotStore shelf, CancellationToken cancellationToken)
    {
        var kept = configuration.Current.Snapshots;
        // Without a limit of age or size nothing goes: the number alone only says how many stay whatever the others say.
        if (kept is { KeepFor: null, KeepBytes: null })
            return;
        var newestFirst = shelf.List().OrderByDescending(snapshot => snapshot.Created).ToList();
        var room = kept.KeepBytes - newestFirst.Take(kept.KeepLast).Sum(snapshot => snapshot.Bytes);
        var chosen = SnapshotPruning.Choose([.. newestFirst.Skip(kept.KeepLast)],
            new SnapshotsKept { Age = kept.KeepFor, Bytes = room is < 0 ? 0 : room }, await ledger.Cases(null, cancellationToken), clock.GetUtcNow());
        SnapshotPruning.Remove(shelf, chosen, clock.GetUtcNow());
    }
}
