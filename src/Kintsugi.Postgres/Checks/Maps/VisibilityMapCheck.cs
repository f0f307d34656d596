using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Maps;

/// <summary>
/// The visibility map of every table, materialized view and TOAST table against its tuples, by pg_visibility: a page that it
/// calls
/// all-visible or all-frozen must hold nothing else, or index-only scans return deleted rows and freezing is skipped.
/// </summary>
/// <remarks>
/// A clear bit over a visible page is legal. Pages of the map itself are read from the files by the check pages; where the files
/// are out of
/// reach, through pageinspect here.
/// </remarks>
public sealed class VisibilityMapCheck(TimeProvider clock) : IBatchCheck
{
    private const string Visible = "pg_check_visible(regclass)", Frozen = "pg_check_frozen(regclass)";

    public string Id => "visibility-map";
    public string Proves => "what the visibility map calls visible to all, or frozen, is so";
    public Layer Layer => Layer.Map;
    public Depth Depth => Depth.Standard;
    public IReadOnlyList<FaultClass> Finds => [Faults.VisibilityMapCorrupt];
    public Needs Needs { get; } = new() { Extension = "pg_visibility", AnyFunction = [Visible, Frozen] };

    public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<Portion>>([.. patient.Relations.Relations
            .Where(relation => relation.HasHeap)
            .Select(relation => Eligible.Portion(relation, patient) with { StandsOn = [relation.Oid], Settled = Settle(relation,
                patient) })]);

    private static Verdict? Settle(Relation relation, Patient patient) =>
        Eligible.Settle(relation, patient)
        ?? (relation.AccessMethod != "heap" ? new Verdict.NotApplicable($"table access method {relation.AccessMethod} has no "
            + $"visibility map")
            // Before 16 a standby's horizon may lie behind the primary's, and sound pages are accused (pg_visibility, collect_corrupt_items).
            : patient.Can is { InRecovery: true, Major: < 16 } ? new Verdict.NotApplicable("before 16 a standby cannot judge "
                + "it: run it on the primary")
            : null);

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        var relation = portion.Relation!;
        try
        {
            var findings = patient.Files is null ? await MapPages.Unreadable(relation, "vm", Faults.VisibilityMapCorrupt,
                portion.Target, patient, cancellationToken)
                : [];
            var first = await Accused(relation, patient, cancellationToken);
            if (first.Count == 0)
                return Verdict.From(findings);
            if (!await OthersFinished(patient, cancellationToken))
                return findings.Count > 0 ? Verdict.From(findings) : new Verdict.Unchecked(
                    $"{first.Count} rows look wrong, and an older transaction, which may explain them, has not finished: run "
                        + $"it again later");
            var second = await Accused(relation, patient, cancellationToken);
            var stay = first.Where(pair => second.ContainsKey(pair.Key)).ToDictionary();
            return stay.Count == 0 ? Verdict.From(findings) : new Verdict.Damaged([.. findings, Lie(stay, portion.Target)]);
        }
        catch (PatientException problem) when (SqlStates.IsGone(problem.SqlState))
        {
            return new Verdict.NotApplicable("dropped meanwhile");
        }
        catch (PatientException problem) when (SqlStates.MeansDamage(problem) && problem.Message.Contains("_vm\"",
            StringComparison.Ordinal))
        {
            return new Verdict.Damaged(MapPages.Finding(Faults.VisibilityMapCorrupt, portion.Target, "vm", null, problem.Message,
                problem.SqlState));
        }
    }

    public async ValueTask<IReadOnlyCollection<Portion>> Acquit(
        IReadOnlyList<Portion> portions, Patient patient, CancellationToken cancellationToken)
    {
        // Without the files the pages of the map are read one by one.
        if (patient.Files is null)
            return [];
        var small = (await Small.Of(portions, patient, cancellationToken)).Select(one => one.Portion).ToList();
        var looks = new[] { Visible, Frozen }.Select(signature => patient.Can.Function("pg_visibility", signature)).OfType<string>()
            .Select(function => $"EXISTS (SELECT FROM {function}(o::pg_catalog.regclass) t)");
        var accused = await patient.Session.Rows($"SELECT o FROM pg_catalog.unnest($1) o WHERE {string.Join(" OR ", looks)}",
            row => row.GetFieldValue<uint>(0), cancellationToken, [small.Select(portion => portion.Relation!.Oid).ToArray()]);
        return Small.Without(small, accused);
    }

    /// <summary>Places of tuples that contradict the map, and which of its two bits.</summary>
    private static async ValueTask<IReadOnlyDictionary<string, string>> Accused(Relation relation, Patient patient,
        CancellationToken cancellationToken)
    {
        var accused = new Dictionary<string, string>();
        foreach (var (signature, bit) in new[] { (Visible, "all-visible"), (Frozen, "all-frozen") })
        {
            if (patient.Can.Function("pg_visibility", signature) is not { } function)
                continue;
            foreach (var tid in await patient.Session.Rows($"SELECT t::pg_catalog.text FROM "
                + $"{function}($1::pg_catalog.regclass) t LIMIT {MaxTuples}",
                row => row.GetString(0), cancellationToken, relation.Oid))
                accused[tid] = accused.TryGetValue(tid, out var before) ? $"{before} and {bit}" : bit;
        }
        return accused;
    }

    private const int MaxTuples = 10_000;

    /// <summary>
    /// Waits a little until every transaction that ran during the first look is over: before 16 the horizon that the functions
    /// take can be
    /// too young under load elsewhere, and rows deleted meanwhile are no lie.
    /// </summary>
    private async ValueTask<bool> OthersFinished(Patient patient, CancellationToken cancellationToken)
    {
        const string horizon = "SELECT "
            + "pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::pg_catalog.text::pg_catalog.int8, "
            + "pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::pg_catalog.text::pg_catalog.int8";
        var end = (await patient.Session.Rows(horizon, row => row.GetInt64(0), cancellationToken))[0];
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500), clock);
        for (var attempt = 0; attempt < 20; attempt++)
        {
            if ((await patient.Session.Rows(horizon, row => row.GetInt64(1), cancellationToken))[0] >= end)
                return true;
            await timer.WaitForNextTickAsync(cancellationToken);
        }
        return false;
    }

    private static Finding Lie(Dictionary<string, string> tuples, Target target)
    {
        var (place, bit) = tuples.First();
        return MapPages.Finding(Faults.VisibilityMapCorrupt, target, "vm", null,
            $"expected every tuple of a page that the visibility map marks to be visible to all, but {tuples.Count} are not, "
                + $"the first at {place} ({bit})", null)
            with
            {
                Rows = tuples.Count,
                Samples = [.. tuples.Keys.Take(100).Select(tid => $$"""{"ctid":"{{tid}}"}""")],
            };
    }
}
