using Kintsugi.Configuration;
using Kintsugi.State;
using Microsoft.Extensions.Logging;

namespace Kintsugi.Hosting;

/// <summary>The jobs that look: each is a scrub of its own width. What they find becomes cases in the ledger, which are the truth.</summary>
internal sealed class Rounds(
    TargetBoard board, ConfigurationSource configuration, ServiceState state, StoredLedger ledger, KintsugiMeter meter, KintsugiTraces traces, AlertDesk alerts, CaseAlerts caseAlerts,
    Triage triage, LookTurns turns, TimeProvider clock, ILogger<Rounds> log)
{
    private readonly UnitBook units = new(state.Books);

    /// <returns>What came of it, and how many units of it each node has done.</returns>
    /// <exception cref="OvertakenException">Another node leads this look by now.</exception>
    public async ValueTask<(string Message, IReadOnlyDictionary<string, long> Units)> Look(string job, string target, string argument, CancellationToken cancellationToken)
    {
        // The heavy looks at one server come one after the other; a health check never waits for them.
        using var turn = job == JobNames.HealthCheck ? null : await turns.Wait(target, cancellationToken);
        await using var ward = await board.Enter(target, cancellationToken);
        // Every look: the counters are kept anew after each, for our own reading raises them.
        var anomalies = await CounterHistory.Compare(ward.Source, ledger, clock, cancellationToken);
        if (job != JobNames.HealthCheck)
            foreach (var anomaly in anomalies)
                alerts.Raise($"advice:{target}:{anomaly.Key}", anomaly.Severity, target, anomaly.Text, null);
        // A look that was cut short goes on where it was, on whichever node; a health check is too short for that.
        var look = $"{job} {target} {argument}";
        using var journal = job == JobNames.HealthCheck ? null : new LookJournal(state.Books, look, clock);
        var settings = new ScrubSettings { Only = Looks.Of(job, ward.Registry.Checks), Includes = await Looks.Table(argument, ward.Source, cancellationToken) };
        using var office = journal is null || !state.IsShared ? null : await OpenOffice(look, settings, ward, cancellationToken);
        var (report, unread) = journal is null
            ? await HealthCheck(ward, cancellationToken)
            : (await Scrub(ward, settings, journal, office, cancellationToken), 0);
        // Another node that took the look over meanwhile files what there is to file.
        office?.MustLead();
        await CounterHistory.Keep(ward.Source, ledger, clock, cancellationToken);
        // Before the findings become known ones.
        if (await CircuitBreaker.Watch(ledger, ward.Server, report, configuration.Current.Breaker, clock.GetUtcNow(), cancellationToken) is { } stopped)
            alerts.Raise($"breaker:{target}", Severity.Critical, target, stopped, null);
        else
            alerts.Resolve($"breaker:{target}", target, "repairs are allowed again");
        await ledger.RecordProofs(ward.Server, report, cancellationToken);
        var opened = await File(job, target, report, ward, cancellationToken);
        if (job == JobNames.HealthCheck)
            await board.Examined(target, cancellationToken);
        if (argument.Length == 0)
            Tell(job, target, report, anomalies);
        var done = office?.Complete() ?? new Dictionary<string, long>();
        journal?.Complete();
        var carried = report.Examinations.Count(seen => seen.Carried is not null);
        return ($"{report.Count<Verdict.Sound>()} sound, {report.Count<Verdict.Damaged>()} damaged, {report.Count<Verdict.Unchecked>()} unchecked, "
            + $"{opened} cases opened{(unread > 0 ? $"; {unread} indexes are too large or too many for a health check and left to {JobNames.IndexCheck}" : "")}"
            + (carried > 0 ? $"; {carried} were proven before this look was cut short" : "")
            + (done.Count > 1 ? $"; of the large pieces {string.Join(", ", done.OrderBy(node => node.Key, StringComparer.Ordinal).Select(node => $"{node.Value} by {node.Key}"))}" : ""),
            done);
    }

    private ValueTask<UnitOffice> OpenOffice(string look, ScrubSettings settings, Ward ward, CancellationToken cancellationToken)
    {
        var jobs = configuration.Current.Jobs;
        var offer = new LookOffer(look, ward.Target.Name, state.Node, Likeness.Fingerprint(ward.Registry, ward.Target.Consistency, configuration.Sum), Likeness.Ground(ward.Source.Server),
            settings.Depth.ToString(), clock.GetUtcNow() + settings.TimeLimit, jobs.Sessions - settings.Jobs);
        return UnitOffice.Open(units, state, offer, ward, jobs.UnitSize, meter, clock, cancellationToken);
    }

    /// <summary>
    /// Counters and log of the server, and in each database the critical indexes and those that are invalid. What concerns the whole server is left
    /// out of a scrub of named objects, so it is one of its own.
    /// </summary>
    private async ValueTask<(ScrubReport Report, int Unread)> HealthCheck(Ward ward, CancellationToken cancellationToken)
    {
        var server = await Scrub(ward, new ScrubSettings { Only = Looks.Of(JobNames.HealthCheck, ward.Registry.Checks) }, null, null, cancellationToken);
        var examinations = server.Examinations.ToList();
        var unread = 0;
        foreach (var database in ward.Source.Databases)
        {
            var (chosen, left) = await CriticalIndexes.Choose(ward.Source, database, configuration.Current.Jobs.CriticalIndexes, cancellationToken);
            unread += left;
            // Each database has its own choice and budget: an index of the same name elsewhere is not meant.
            var indexes = await Scrub(ward, new ScrubSettings
            {
                Only = Looks.Critical, Databases = new HashSet<string> { database },
                Includes = relation => relation.Index is { Valid: false } || chosen.Contains((relation.Schema, relation.Name)),
            }, null, null, cancellationToken);
            examinations.AddRange(indexes.Examinations);
        }
        return (new ScrubReport(server.Started, clock.GetUtcNow(), examinations), unread);
    }

    private async ValueTask<ScrubReport> Scrub(Ward ward, ScrubSettings settings, IScrubJournal? journal, IUnitOffice? office, CancellationToken cancellationToken)
    {
        using var trace = traces.Scrub();
        return await new Scrub(ward.Registry.Checks, ward.Source, clock, trace) { Journal = journal, Office = office }.Run(settings, cancellationToken);
    }

    /// <summary>Files what was found. A case that is known and open is not filed again at every look, but this look may say something new of it.</summary>
    private async ValueTask<int> File(string job, string target, ScrubReport report, Ward ward, CancellationToken cancellationToken)
    {
        var opened = 0;
        var known = (await ledger.Cases(ward.Server, cancellationToken)).ToDictionary(row => row.Id);
        var found = Diagnosis.Cases(report.Findings);
        foreach (var healing in found)
        {
            if (known.TryGetValue(healing.Id, out var row) && !Triage.IsClosed(row))
            {
                // Seen again: rows that had to be seen twice may be ripe now.
                if (Seasoning.Holds(row.Reason) && await Seasoning.WhyHeld(ledger, healing, ward.Target.Policy, cancellationToken) != row.Reason)
                    triage.Nudge(healing.Id);
                continue;
            }
            // It was healed while this look went on, which may have seen it before: the next one is not far.
            if (job == JobNames.HealthCheck && row is not null && row.LastChanged > report.Started)
                continue;
            await CaseFiling.File(ledger, clock, healing, cancellationToken);
            meter.Opened(healing.Fault);
            opened++;
            Log.Found(log, target, healing.Fault.Id, healing.Target.Name, healing.Findings[0].Evidence);
        }
        await NudgeWhatIsGone(report, known.Values, found.Select(healing => healing.Id).ToHashSet(), cancellationToken);
        await caseAlerts.Follow(target, ward.Server, cancellationToken);
        return opened;
    }

    /// <summary>An open case whose place was proven sound meanwhile is looked at once more, which closes it.</summary>
    private async ValueTask NudgeWhatIsGone(
        ScrubReport report, IEnumerable<CaseRow> known, HashSet<string> found, CancellationToken cancellationToken)
    {
        var sound = report.Examinations.GroupBy(seen => (seen.Check, seen.Target.Database, Proof.Place(seen.Target)))
            .Where(place => place.All(seen => seen.Verdict is Verdict.Sound)).Select(place => place.Key).ToHashSet();
        foreach (var row in known.Where(row => !Triage.IsClosed(row) && !found.Contains(row.Id)))
            if (new CaseHistory(await ledger.FactsOf(row.Id, cancellationToken)).ReadCase(row.Id) is { } healing
                && healing.Findings.All(finding => sound.Contains((finding.Check, finding.Target.Database, Proof.Place(finding.Target)))))
                triage.Nudge(row.Id);
    }

    private void Tell(string job, string target, ScrubReport report, IReadOnlyList<Anomaly> anomalies)
    {
        meter.Looked(job, target, report);
        if (job == JobNames.OrphanCleanup)
            TellOrphans(target, report);
        if (job == JobNames.HealthCheck)
            TellAdvice(target, report, anomalies);
        var checksums = report.Examinations.Where(seen => Looks.Checksums.Contains(seen.Check)).ToList();
        if (job == JobNames.ChecksumVerify && checksums.Any(seen => seen.Verdict is Verdict.Sound) && checksums.All(seen => seen.Verdict is not Verdict.Damaged))
            alerts.Notice(Severity.Info, target, $"checksums verified: {checksums.Count(seen => seen.Verdict is Verdict.Sound)} relations sound, "
                + $"{checksums.Count(seen => seen.Verdict is Verdict.Unchecked)} not examined");
    }

    private void TellOrphans(string target, ScrubReport report)
    {
        var limit = configuration.Current.Alerts.OrphanedRowsWarning;
        var orphans = report.Findings.Where(finding => finding.Fault == Faults.RowOrphaned).Sum(finding => finding.Rows ?? 1);
        if (orphans > limit)
            alerts.Raise($"orphans:{target}", Severity.Warning, target, $"{orphans} orphaned rows, more than {limit}", null);
        else
            alerts.Resolve($"orphans:{target}", target, $"{orphans} orphaned rows");
    }

    /// <summary>Advice is no case: it is told when it appears, and taken back when it is seen no more.</summary>
    private void TellAdvice(string target, ScrubReport report, IReadOnlyList<Anomaly> anomalies)
    {
        var prefix = $"advice:{target}:";
        var stands = report.Findings.Where(finding => finding.Fault.Advice && finding.Severity >= Severity.Warning)
            .Select(finding => new Anomaly(finding.Id, finding.Severity, finding.Evidence)).Concat(anomalies).ToDictionary(advice => prefix + advice.Key);
        foreach (var (key, advice) in stands)
            alerts.Raise(key, advice.Severity, target, advice.Text, null);
        foreach (var gone in alerts.Firing(prefix).Where(key => !stands.ContainsKey(key)))
            alerts.Resolve(gone, target, "it is seen no more");
    }
}
