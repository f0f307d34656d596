using System.Collections.Concurrent;

namespace Kintsugi;

/// <summary>The examinations of one database (or of the server as a whole) within a scrub, and the ground that they have proven so far.</summary>
internal sealed class ScrubRoom(IPatientSource source, string? database, ScrubSettings settings, ScrubRecord record, TimeProvider clock)
{
    private const string Crash = "reading it crashed the server; it is not read through the server again";

    private readonly Ground ground = new();
    private readonly Bodies bodies = new();

    public string? Database { get; } = database;
    public required IReadOnlyList<ICheck> Due { get; init; }
    public required DateTimeOffset Deadline { get; init; }
    public required IScrubJournal? Journal { get; init; }
    public required ScrubHistory History { get; init; }

    /// <summary>Where large pieces are offered to other nodes; null where there are none.</summary>
    public IUnitOffice? Office { get; init; }

    public PatientBench Enter() => new(source, Database, bodies)
    {
        WithRelations = Database is not null || Due.Any(check => check.Needs.Relations),
    };

    public async ValueTask<IEnumerable<(ICheck, Portion)>> Divide(ICheck check, PatientBench bench, CancellationToken cancellationToken)
    {
        var patient = await bench.Take(cancellationToken);
        try
        {
            var whole = new Target
            {
                Server = source.Server.SystemIdentifier,
                Database = Database,
                Kind = Database is null ? TargetKind.Server : TargetKind.Database,
            };
            if (check.Needs.LackIn(patient) is { } lack)
            {
                if (settings.Includes is null || check.Scope == Scope.Database)
                    record.Note(check.Id, whole, lack.ToVerdict());
                return [];
            }
            try
            {
                var portions = (await check.Divide(patient, settings.Depth, cancellationToken))
                    .Where(p => settings.Includes is null || (p.Relation is { } relation && settings.Includes(relation)))
                    .Select(p => (check, p with { Depth = settings.Depth })).ToList();
                record.Expect(portions.Count);
                return portions;
            }
            catch (Exception problem) when (problem is PatientException || IsDefect(problem))
            {
                record.Note(check.Id, whole, new Verdict.Unchecked($"what there is to examine could not be listed: {(IsDefect(problem) ? Defect(problem) : problem.Message)}"));
                return [];
            }
        }
        finally
        {
            bench.Give(patient);
        }
    }

    /// <summary>Examines pieces of one layer, but for those whose proof still holds.</summary>
    public async ValueTask Run(IReadOnlyList<(ICheck Check, Portion Portion)> work, PatientBench bench, CancellationToken cancellationToken)
    {
        var open = new List<(ICheck Check, Portion Portion)>();
        var patient = await bench.Take(cancellationToken);
        foreach (var (check, piece) in work)
            if (Carry(check, piece, patient) is { } carried)
                record.Enter(check, piece, new Examination(check.Id, piece.Target, Verdict.Sound.Instance, TimeSpan.Zero) { Carried = carried });
            else
                open.Add((check, piece));
        bench.Give(patient);
        foreach (var round in CommonLook.Arrange(open))
        {
            var (shared, own) = await SharedRound.Begin(this, Office, round, patient.Inventory, cancellationToken);
            var queue = new ConcurrentQueue<Work>(own);
            await Task.WhenAll(Enumerable.Range(0, Math.Clamp(settings.Jobs, 1, round.Count)).Select(_ => Take(shared, queue, bench, cancellationToken)));
        }
    }

    /// <summary>Whether nothing that was seen so far stands against an answer about this piece: another node need not know what was.</summary>
    public bool StandsFirmly(ICheck check, Portion piece, Inventory? inventory) =>
        !ground.IsDoubted(piece) && ground.WeaknessUnder(piece, check.Layer, inventory) is null;

    public bool IsDoubted(Portion piece) => ground.IsDoubted(piece);

    /// <summary>Takes an answer, from whichever node, as this room's own.</summary>
    public void Accept(Unit unit, UnitAnswer answer, Patient? patient)
    {
        if (answer.Crashed)
            Poison(unit.Piece);
        Enter(unit.Check, unit.Piece, answer.Verdict, answer.Took, patient, answer.Carried);
    }

    /// <summary>The earlier proof that makes a look needless, or null. What was put in doubt since is looked at again.</summary>
    private Carried? Carry(ICheck check, Portion piece, Patient patient)
    {
        if (piece.Settled is not null || piece.Relation is null || ground.IsDoubted(piece))
            return null;
        if (Journal?.ProvenAt(check.Id, piece) is { } at)
            return new Carried(at, Journal.How);
        return settings.Incremental && bodies.CheckpointAt is { } checkpoint && bodies.Of(piece, check, patient) is { } body
            && History.ProofOf(check.Id, piece.Target, settings.Depth, body, checkpoint, clock.GetUtcNow()) is { } proof
            ? new Carried(proof, Carried.Unchanged) : null;
    }

    private async Task Take(SharedRound? shared, ConcurrentQueue<Work> queue, PatientBench bench, CancellationToken cancellationToken)
    {
        // The first await must not run on the caller: every worker starts at once.
        await Task.Yield();
        if (shared is not null)
            await shared.Join(bench, toTheEnd: false, cancellationToken);
        await TakeOwn(queue, bench, cancellationToken);
        if (shared is not null)
            await shared.Join(bench, toTheEnd: true, cancellationToken);
    }

    private async ValueTask TakeOwn(ConcurrentQueue<Work> queue, PatientBench bench, CancellationToken cancellationToken)
    {
        var together = new CommonLook(source, bench, ground);
        while (queue.TryDequeue(out var work))
        {
            var begun = clock.GetTimestamp();
            record.Tell(work.Check, work.Pieces[0]);
            var answers = work.Pieces.Count > 1 && clock.GetUtcNow() < Deadline
                ? await together.Look((IBatchCheck)work.Check, work.Pieces, cancellationToken)
                : null;
            var share = clock.GetElapsedTime(begun) / work.Pieces.Count;
            foreach (var piece in work.Pieces)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (answers is not null && answers.TryGetValue(piece, out var answer))
                    Enter(work.Check, piece, answer, share, bench.Any);
                else
                {
                    var alone = await Conclude(work.Check, piece, bench, cancellationToken);
                    Enter(work.Check, piece, alone.Verdict, alone.Took, bench.Any);
                }
            }
        }
    }

    /// <summary>Examines one piece, and does not yet enter what came of it.</summary>
    public async ValueTask<UnitAnswer> Conclude(ICheck check, Portion piece, PatientBench bench, CancellationToken cancellationToken)
    {
        var begun = clock.GetTimestamp();
        record.Tell(check, piece);
        // What the division settled has an accuser too: no repair could be proven without one.
        var verdict = piece.Settled is { } settled ? Stamp(settled, check, null)
            : (clock.GetUtcNow() >= Deadline
                ? new Verdict.Unchecked("the time limit was reached before its turn came; raise --time-limit or run again")
                : await Examine(check, piece, bench, cancellationToken));
        return new UnitAnswer(verdict, clock.GetElapsedTime(begun)) { Crashed = verdict is Verdict.Unchecked && ground.IsPoisoned(piece) };
    }

    private void Enter(ICheck check, Portion piece, Verdict verdict, TimeSpan duration, Patient? patient, Carried? carried = null)
    {
        ground.Record(piece, check, verdict);
        record.Enter(check, piece, new Examination(check.Id, piece.Target, verdict, duration)
        {
            Carried = carried,
            Body = settings.Incremental && verdict is Verdict.Sound && patient is not null ? bodies.Of(piece, check, patient) : null,
        });
    }

    private async ValueTask<Verdict> Examine(ICheck check, Portion portion, PatientBench bench, CancellationToken cancellationToken)
    {
        var patient = await bench.Take(cancellationToken);
        var weakness = ground.WeaknessUnder(portion, check.Layer, patient.Inventory);
        if (weakness is { Damaged: true } and { Why: var why } && portion.Relation is { } under && portion.StandsOn.Contains(under.Oid)
            && check.Needs.Sql && check.Layer > Layer.Storage)
        {
            // The object itself is damaged below this layer: what is suspicious is not read through the server.
            bench.Give(patient);
            return new Verdict.Unchecked(why);
        }
        try
        {
            var verdict = Stamp(await check.Examine(portion, patient with { Pace = patient.Pace.EndingAt(Deadline) }, cancellationToken), check, weakness?.Why);
            bench.Give(patient);
            return verdict;
        }
        catch (PatientException problem) when (problem.ConnectionLost)
        {
            await PatientBench.Discard(patient);
            return await AfterLostConnection(portion, problem, cancellationToken);
        }
        catch (PatientException problem) when (IsNeverFilled(portion, problem))
        {
            bench.Give(patient);
            return new Verdict.NotApplicable("a materialized view that is not populated: it has no rows");
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
        catch (Exception problem) when (IsDefect(problem))
        {
            await PatientBench.Discard(patient);
            return new Verdict.Unchecked(Defect(problem));
        }
    }

    /// <summary>Damage that a check did not reckon with must not take away what all the others see.</summary>
    private static bool IsDefect(Exception problem) => problem is not (PatientException or OperationCanceledException or OutOfMemoryException);

    private static string Defect(Exception problem) =>
        $"the check itself failed, which is a defect in Kintsugi: {problem.GetType().Name}: {problem.Message}; please report it to Kintsugi's maintainers";

    private async ValueTask<Verdict> AfterLostConnection(Portion portion, PatientException problem, CancellationToken cancellationToken)
    {
        // 57P01: somebody stopped the server or ended the session. That is nobody's damage, and the server may be back.
        if (!await source.CrashedSince(cancellationToken) || problem.SqlState == "57P01")
            return new Verdict.Unchecked($"the connection was lost: {problem.Message}; run it again, with --resume");
        Poison(portion);
        return new Verdict.Unchecked($"{Crash}. Take a snapshot of its files before anything else: kintsugi snapshots create");
    }

    private void Poison(Portion portion)
    {
        foreach (var oid in portion.StandsOn.Concat(portion.Relation is { } relation ? [relation.Oid] : []))
            ground.Poison(oid, Crash);
    }

    private static Verdict Stamp(Verdict verdict, ICheck check, string? weakness) => verdict switch
    {
        Verdict.Damaged damaged => new Verdict.Damaged(
            [.. damaged.Findings.Select(f => f with { Check = check.Id, Provisional = f.Provisional ?? weakness })]),
        Verdict.Sound when weakness is not null => new Verdict.Unchecked(weakness),
        _ => verdict,
    };

    /// <summary>
    /// WITH NO DATA, which may also come while we look. The view must be the portion's own: an expression that reads another one says as much of that,
    /// and then this one was not examined.
    /// </summary>
    private static bool IsNeverFilled(Portion portion, PatientException problem) =>
        problem.SqlState == "55000" && portion.Relation is { } relation
        && problem.Message == $"materialized view \"{relation.TableName}\" has not been populated";
}
