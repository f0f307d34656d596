using Kintsugi.Configuration;
using Kintsugi.State;
using Microsoft.Extensions.Logging;

namespace Kintsugi.Hosting;

/// <summary>The jobs that look: each is a scrub of its own width. What they find becomes cases in the ledger, which are the truth.</summary>
internal sealed class Rounds(
    TargetBoard board, ConfigurationSource configuration, SqliteLedger ledger, KintsugiMeter meter, AlertDesk alerts, TimeProvider clock,
    ILogger<Rounds> log)
{
    private static readonly HashSet<string> Counters = ["wraparound", "activity", "server-log"];
    private static readonly HashSet<string> Critical = ["index-state", "btree"];
    private static readonly HashSet<string> Indexes = ["index-state", "btree", "index-entries", "collation"];
    private static readonly HashSet<string> Checksums = ["pages", "shared-pages", "cluster-files"];

    /// <summary>What a health check may take before what is left is put off to the next one.</summary>
    private static readonly TimeSpan HealthLimit = TimeSpan.FromMinutes(1);

    public async ValueTask<string> Look(string job, string target, string argument, CancellationToken cancellationToken)
    {
        var begun = clock.GetTimestamp();
        await using var ward = await board.Enter(target, cancellationToken);
        var report = await Scrub(job, argument, ward, cancellationToken);
        await ledger.RecordProofs(ward.Server, report, cancellationToken);
        var opened = await File(target, report, cancellationToken);
        if (job == JobNames.HealthCheck)
        {
            meter.Checked(clock.GetElapsedTime(begun));
            board.Examined(target);
        }
        Tell(job, target, report);
        if (job == JobNames.OrphanCleanup)
            await FirstSight.Remember(ledger, ward.Server, report, cancellationToken);
        return $"{report.Count<Verdict.Sound>()} sound, {report.Count<Verdict.Damaged>()} damaged, {report.Count<Verdict.Unchecked>()} unchecked, "
            + $"{opened} cases opened";
    }

    private async ValueTask<ScrubReport> Scrub(string job, string argument, Ward ward, CancellationToken cancellationToken)
    {
        var report = await new Scrub(ward.Registry.Checks, ward.Source, clock, null).Run(Settings(job, argument, ward), cancellationToken);
        if (job != JobNames.HealthCheck)
            return report;
        // What concerns the whole server is left out of a scrub of named objects: the counters come second.
        var server = await new Scrub(ward.Registry.Checks, ward.Source, clock, null).Run(new ScrubSettings { Only = Counters }, cancellationToken);
        return new ScrubReport(report.Started, server.Finished, [.. report.Examinations, .. server.Examinations]) { Depth = report.Depth };
    }

    private ScrubSettings Settings(string job, string argument, Ward ward) => job switch
    {
        JobNames.HealthCheck => new ScrubSettings { Only = Critical, TimeLimit = HealthLimit, Includes = IsCritical },
        JobNames.IndexCheck => new ScrubSettings
        {
            Only = Indexes,
            Includes = argument.Length == 0 ? null : relation => argument == relation.TableName || argument == $"{relation.TableSchema}.{relation.TableName}",
        },
        JobNames.ChecksumVerify => new ScrubSettings { Only = Checksums },
        JobNames.OrphanCleanup => new ScrubSettings
        {
            Only = ward.Registry.Checks.Where(check => check.Layer >= Layer.Uniqueness).Select(check => check.Id).ToHashSet(),
        },
        _ => throw new ArgumentException($"there is no job {job}; there are: {string.Join(", ", JobNames.Periodic(configuration.Current).Select(p => p.Job))}"),
    };

    /// <summary>The indexes that the owner named, else the primary keys; every index is asked whether it is valid by index-state.</summary>
    private bool IsCritical(Relation relation)
    {
        var named = configuration.Current.Jobs.CriticalIndexes;
        return relation.Index is { } index && (index is { Valid: false } || (named.Count == 0
            ? index.Primary && !relation.IsCatalog
            : named.Any(name => $"{relation.Schema}.{relation.Name}" == name.ToString())));
    }

    /// <summary>Files what was found; a case that is known and open is not filed again at every look.</summary>
    private async ValueTask<int> File(string target, ScrubReport report, CancellationToken cancellationToken)
    {
        var opened = 0;
        foreach (var healing in Diagnosis.Cases(report.Findings))
        {
            var row = (await ledger.Cases(healing.Target.Server, cancellationToken)).FirstOrDefault(row => row.Id == healing.Id);
            if (row is not null && row.State is not ("healed" or "transient" or "undone"))
                continue;
            await CaseFiling.File(ledger, clock, healing, cancellationToken);
            meter.Opened(healing.Fault);
            opened++;
            Log.Found(log, target, healing.Fault.Id, healing.Target.Name, healing.Findings[0].Evidence);
            alerts.Raise($"case:{healing.Id}", healing.Findings.Max(finding => finding.Severity), target, healing.Cause, healing.Id);
        }
        return opened;
    }

    private void Tell(string job, string target, ScrubReport report)
    {
        var limit = configuration.Current.Alerts.OrphanedRowsWarning;
        var orphans = report.Findings.Where(finding => finding.Fault == Faults.RowOrphaned).Sum(finding => finding.Rows ?? 1);
        if (orphans > limit)
            alerts.Raise($"orphans:{target}", Severity.Warning, target, $"{orphans} orphaned rows, more than {limit}", null);
        else if (job == JobNames.OrphanCleanup)
            alerts.Resolve($"orphans:{target}", Severity.Warning, target, $"{orphans} orphaned rows");
        if (job == JobNames.HealthCheck)
            TellAdvice(target, report);
        if (job == JobNames.ChecksumVerify && report.Count<Verdict.Damaged>() == 0 && report.Count<Verdict.Sound>() > 0)
            alerts.Notice(Severity.Info, target, $"checksums verified: {report.Count<Verdict.Sound>()} objects sound, "
                + $"{report.Count<Verdict.Unchecked>()} not examined");
    }

    /// <summary>Advice is no case: it is told when it appears, and taken back when it is seen no more.</summary>
    private void TellAdvice(string target, ScrubReport report)
    {
        var prefix = $"advice:{target}:";
        var stands = report.Findings.Where(finding => finding.Fault.Advice && finding.Severity >= Severity.Warning)
            .ToDictionary(finding => prefix + finding.Id);
        foreach (var (key, finding) in stands)
            alerts.Raise(key, finding.Severity, target, finding.Evidence, null);
        foreach (var gone in alerts.Firing(prefix).Where(key => !stands.ContainsKey(key)))
            alerts.Resolve(gone, Severity.Warning, target, "it is seen no more");
    }
}
