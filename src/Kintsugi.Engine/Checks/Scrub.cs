using System.Collections.Concurrent;

namespace Kintsugi;

/// <summary>One round of due checks over a server, in the order of trust, within a budget.</summary>
public sealed class Scrub(IReadOnlyList<ICheck> checks, IPatientSource source, TimeProvider clock, IProgress<ScrubProgress>? progress)
{
    private readonly ConcurrentQueue<Examination> examinations = new();
    private int done;
    private int total;

    public async ValueTask<ScrubReport> Run(ScrubSettings settings, CancellationToken cancellationToken)
    {
        var started = clock.GetUtcNow();
        var due = checks.Where(settings.Wants).OrderBy(check => check.Layer).ToList();
        var deadline = settings.TimeLimit is { } limit ? started + limit : DateTimeOffset.MaxValue;

        await RunIn(null, due.Where(check => check.Scope == Scope.Server), settings, started, deadline, cancellationToken);
        foreach (var database in source.Databases)
            await RunIn(database, due.Where(check => check.Scope == Scope.Database), settings, started, deadline, cancellationToken);
        foreach (var (database, why) in source.Closed)
            Record("connect", new Target { Server = source.Server.SystemIdentifier, Database = database, Kind = TargetKind.Database },
                new Verdict.Unchecked(why), TimeSpan.Zero);

        var finished = clock.GetUtcNow();
        return new ScrubReport(started, finished, [.. examinations]) { TimeLimitReached = finished >= deadline, Depth = settings.Depth };
    }

    private async ValueTask RunIn(
        string? database, IEnumerable<ICheck> due, ScrubSettings settings, DateTimeOffset started, DateTimeOffset deadline,
        CancellationToken cancellationToken)
    {
        var ground = new Ground();
        await using var bench = new PatientBench(source, database);
        foreach (var layer in due.GroupBy(check => check.Layer))
        {
            var work = new List<(ICheck Check, Portion Portion)>();
            foreach (var check in layer)
                work.AddRange(await Divide(check, bench, settings, cancellationToken));
            total = done + work.Count;
            foreach (var round in CommonLook.Arrange(work))
            {
                var queue = new ConcurrentQueue<Work>(round);
                var workers = Enumerable.Range(0, Math.Clamp(settings.Jobs, 1, round.Count))
                    .Select(_ => Take(queue, bench, ground, started, deadline, cancellationToken));
                await Task.WhenAll(workers);
            }
        }
    }

    private async ValueTask<IEnumerable<(ICheck, Portion)>> Divide(
        ICheck check, PatientBench bench, ScrubSettings settings, CancellationToken cancellationToken)
    {
        var patient = await bench.Take(cancellationToken);
        try
        {
            var whole = new Target
            {
                Server = source.Server.SystemIdentifier,
                Database = bench.Database,
                Kind = bench.Database is null ? TargetKind.Server : TargetKind.Database,
            };
            if (check.Needs.LackIn(patient) is { } lack)
            {
                if (settings.Includes is null || check.Scope == Scope.Database)
                    Record(check.Id, whole, lack.ToVerdict(), TimeSpan.Zero);
                return [];
            }
            try
            {
                var portions = await check.Divide(patient, settings.Depth, cancellationToken);
                return portions
                    .Where(p => settings.Includes is null || (p.Relation is { } relation && settings.Includes(relation)))
                    .Select(p => (check, p with { Depth = settings.Depth }));
            }
            catch (PatientException problem)
            {
                Record(check.Id, whole, new Verdict.Unchecked($"what there is to examine could not be listed: {problem.Message}"), TimeSpan.Zero);
                return [];
            }
        }
        finally
        {
            bench.Give(patient);
        }
    }

    private async Task Take(
        ConcurrentQueue<Work> queue, PatientBench bench, Ground ground, DateTimeOffset started, DateTimeOffset deadline,
        CancellationToken cancellationToken)
    {
        // The first await must not run on the caller: every worker starts at once.
        await Task.Yield();
        var together = new CommonLook(source, bench, ground);
        while (queue.TryDequeue(out var work))
        {
            var begun = clock.GetTimestamp();
            Tell(work.Check, work.Pieces[0], started);
            var answers = work.Pieces.Count > 1 && clock.GetUtcNow() < deadline
                ? await together.Look((IBatchCheck)work.Check, work.Pieces, cancellationToken)
                : null;
            var share = clock.GetElapsedTime(begun) / work.Pieces.Count;
            foreach (var piece in work.Pieces)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (answers is not null && answers.TryGetValue(piece, out var answer))
                    Enter(work.Check, piece, answer, share, ground);
                else
                    await Alone(work.Check, piece, bench, ground, started, deadline, cancellationToken);
            }
        }
    }

    private async ValueTask Alone(
        ICheck check, Portion piece, PatientBench bench, Ground ground, DateTimeOffset started, DateTimeOffset deadline,
        CancellationToken cancellationToken)
    {
        var begun = clock.GetTimestamp();
        Tell(check, piece, started);
        // What the division settled has an accuser too: no repair could be proven without one.
        var verdict = piece.Settled is { } settled ? Stamp(settled, check, null)
            : (clock.GetUtcNow() >= deadline
                ? new Verdict.Unchecked("the time limit was reached before its turn came; raise --time-limit or run again")
                : await Examine(check, piece, bench, ground, deadline, cancellationToken));
        Enter(check, piece, verdict, clock.GetElapsedTime(begun), ground);
    }

    private void Tell(ICheck check, Portion piece, DateTimeOffset started) =>
        progress?.Report(new ScrubProgress(check.Id, piece.Target.Name, done, total, clock.GetUtcNow() - started));

    private void Enter(ICheck check, Portion piece, Verdict verdict, TimeSpan duration, Ground ground)
    {
        ground.Record(piece, check, verdict);
        Interlocked.Increment(ref done);
        Record(check.Id, piece.Target, verdict, duration);
    }

    private async ValueTask<Verdict> Examine(
        ICheck check, Portion portion, PatientBench bench, Ground ground, DateTimeOffset deadline, CancellationToken cancellationToken)
    {
        var patient = await bench.Take(cancellationToken);
        var weakness = ground.WeaknessUnder(portion, check.Layer, patient.Inventory);
        if (weakness is { Damaged: true } and { Why: var why } && portion.Relation is { } under && portion.StandsOn.Contains(under.Oid)
            && check.Needs.Sql && check.Layer > Layer.Storage)
        {
            // The object itself is damaged below this layer: what is suspicious is not read through the server (HAZARDS.md, FAULTS.md).
            bench.Give(patient);
            return new Verdict.Unchecked(why);
        }
        try
        {
            var verdict = Stamp(await check.Examine(portion, patient with { Pace = patient.Pace.EndingAt(deadline) }, cancellationToken), check, weakness?.Why);
            bench.Give(patient);
            return verdict;
        }
        catch (PatientException problem) when (problem.ConnectionLost)
        {
            await PatientBench.Discard(patient);
            return await AfterLostConnection(portion, problem, ground, cancellationToken);
        }
        catch (PatientException problem)
        {
            bench.Give(patient);
            return new Verdict.Unchecked(problem.SqlState switch
            {
                null => problem.Message,
                "42501" => $"{problem.Message} (SQLSTATE 42501); grant this role what is named there, or BYPASSRLS where a row-level policy hides rows",
                _ => $"{problem.Message} (SQLSTATE {problem.SqlState})",
            });
        }
        catch (OperationCanceledException)
        {
            await PatientBench.Discard(patient);
            throw;
        }
    }

    private async ValueTask<Verdict> AfterLostConnection(
        Portion portion, PatientException problem, Ground ground, CancellationToken cancellationToken)
    {
        if (!await source.CrashedSince(cancellationToken))
            return new Verdict.Unchecked($"the connection was lost: {problem.Message}");
        const string why = "reading it crashed the server; it is not read through the server again";
        foreach (var oid in portion.StandsOn.Concat(portion.Relation is { } relation ? [relation.Oid] : []))
            ground.Poison(oid, why);
        return new Verdict.Unchecked($"{why}. Take a snapshot of its files before anything else: kintsugi snapshots create");
    }

    private static Verdict Stamp(Verdict verdict, ICheck check, string? weakness) => verdict switch
    {
        Verdict.Damaged damaged => new Verdict.Damaged(
            [.. damaged.Findings.Select(f => f with { Check = check.Id, Provisional = f.Provisional ?? weakness })]),
        Verdict.Sound when weakness is not null => new Verdict.Unchecked(weakness),
        _ => verdict,
    };

    private void Record(string check, Target target, Verdict verdict, TimeSpan duration) =>
        examinations.Enqueue(new Examination(check, target, verdict, duration));
}
