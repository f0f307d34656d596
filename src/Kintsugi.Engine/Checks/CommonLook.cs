namespace Kintsugi;

/// <summary>Groups small pieces of one check, and looks at them together.</summary>
internal sealed class CommonLook(IPatientSource source, PatientBench bench, Ground ground)
{
    /// <summary>Half a MiB: beyond it a piece costs more than the round trips that it would be spared.</summary>
    private const long SmallPages = 64;

    /// <summary>One look takes some tens of milliseconds and holds what it reads for no longer (locks, MVCC snapshot).</summary>
    private const int PiecesPerLook = 100;

    /// <summary>What is looked at alone, and after it what is looked at together, check by check in their order.</summary>
    public static IEnumerable<IReadOnlyList<Work>> Arrange(IReadOnlyList<(ICheck Check, Portion Portion)> work)
    {
        var alone = work.Where(item => !Suits(item.Check, item.Portion)).OrderByDescending(item => item.Portion.Weight)
            .Select(item => new Work(item.Check, [item.Portion])).ToList();
        if (alone.Count > 0)
            yield return alone;
        foreach (var group in work.Where(item => Suits(item.Check, item.Portion)).GroupBy(item => item.Check))
            yield return [.. group.Select(item => item.Portion).Chunk(PiecesPerLook).Select(pieces => new Work(group.Key, pieces))];
    }

    /// <returns>Answers for some of the pieces; those without one are to be examined alone.</returns>
    public async ValueTask<IReadOnlyDictionary<Portion, Verdict>> Look(
        IBatchCheck check, IReadOnlyList<Portion> pieces, CancellationToken cancellationToken)
    {
        // What any look has put in doubt is not mixed with the others: it could take them down with it.
        var trusted = pieces.Where(piece => !ground.IsDoubted(piece)).ToList();
        var answers = new Dictionary<Portion, Verdict>(ReferenceEqualityComparer.Instance);
        var patient = await bench.Take(cancellationToken);
        try
        {
            foreach (var sound in await check.Acquit(trusted, patient, cancellationToken))
                answers.Add(sound, Verdict.Sound.Instance);
            bench.Give(patient);
        }
        catch (PatientException problem) when (problem.ConnectionLost)
        {
            await PatientBench.Discard(patient);
            if (await source.CrashedSince(cancellationToken))
                GiveUp(trusted, answers);
        }
        catch (PatientException)
        {
            bench.Give(patient);
        }
        catch (Exception problem) when (problem is OperationCanceledException or OutOfMemoryException)
        {
            await PatientBench.Discard(patient);
            throw;
        }
        catch (Exception)
        {
            // A defect of the check: each piece is examined alone, and the one that it fails on says so.
            await PatientBench.Discard(patient);
        }
        return answers;
    }

    /// <summary>Which of them it was is not known, and finding out would crash the server once more.</summary>
    private void GiveUp(List<Portion> pieces, Dictionary<Portion, Verdict> answers)
    {
        var why = $"reading it together with {pieces.Count - 1} others crashed the server; none of them is read through the server again";
        foreach (var piece in pieces)
        {
            foreach (var oid in piece.StandsOn.Concat(piece.Relation is { } relation ? [relation.Oid] : []))
                ground.Poison(oid, why);
            answers.Add(piece, new Verdict.Unchecked(
                $"{why}. Take a snapshot of the files (kintsugi snapshots create), then examine them one by one with -t"));
        }
    }

    private static bool Suits(ICheck check, Portion portion) =>
        check is IBatchCheck && portion is { Settled: null, FirstBlock: 0, Blocks: long.MaxValue, Relation: not null } && portion.Weight <= SmallPages;
}

/// <summary>One piece, or many small ones of one check.</summary>
internal sealed record Work(ICheck Check, IReadOnlyList<Portion> Pieces);
