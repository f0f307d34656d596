using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Mending;

/// <summary>
/// Mends a heap or TOAST page from what is left of it. For whatever is wrong it lists every single change that could have undone the
/// damage and tries each on a copy: where exactly one leaves nothing to accuse there and accuses nothing new, that is the answer;
/// where none or several do, the flaw stays open. The judge is the inspector that accused. Reads and writes nothing but bytes.
/// </summary>
public static class PageSurgeon
{
    // Known from elsewhere, mended elsewhere: by the write-ahead log's owner, or by rebuilding the visibility map.
    private static bool IsOurs(FlawKind kind) =>
        kind is not (FlawKind.None or FlawKind.LsnBeyondWal or FlawKind.ChecksumMismatch or FlawKind.MapWithoutPage);

    /// <summary>Mends what can be told. A sound page comes back as it is, with nothing corrected.</summary>
    public static PageOperation Operate(ReadOnlySpan<byte> page, PageEvidence evidence)
    {
        if (page.Length != PageFormat.Size)
            throw new ArgumentException($"A page has {PageFormat.Size} bytes, not {page.Length}.", nameof(page));
        var body = page.ToArray();
        List<Correction> corrections = [];
        List<LeftOpen> open = [];
        if (!HeaderSurgery.Mend(ref body, evidence, corrections, open)) return new PageOperation(page.ToArray(), [], open);
        HashSet<(FlawKind, int)> givenUp = [];
        while (NextFlaw(body, evidence, givenUp) is { } flaw)
        {
            // While it is not known where the tuples begin and end, what fits within them proves nothing.
            if (!LinePointerEdits.Concerns(flaw.Kind) && open.Any(left => LinePointerEdits.Concerns(left.Flaw.Kind)))
                open.Add(new LeftOpen(flaw, "the page's line pointers are not all known", []));
            else if (Settle(ref body, evidence, flaw, corrections, open)) continue;
            givenUp.Add((flaw.Kind, Key(flaw)));
        }
        if (open.Count == 0) HiddenRows.Mend(ref body, evidence, corrections, open);
        return new PageOperation(body, corrections, open);
    }

    internal static List<Flaw> Inspect(ReadOnlySpan<byte> page, PageEvidence evidence)
    {
        List<Flaw> flaws = [];
        HeapPageInspector.Inspect(page, evidence.Expected, flaws);
        flaws.RemoveAll(flaw => !IsOurs(flaw.Kind));
        return flaws;
    }

    // A lost line pointer distorts what is said about tuples, so pointers come first.
    private static Flaw? NextFlaw(byte[] page, PageEvidence evidence, HashSet<(FlawKind, int)> givenUp)
    {
        var left = Inspect(page, evidence).Where(flaw => !givenUp.Contains((flaw.Kind, Key(flaw)))).ToList();
        if (left.Count == 0) return null;
        return left.OrderBy(flaw => LinePointerEdits.Concerns(flaw.Kind) ? 0 : 1).First();
    }

    private static int Key(in Flaw flaw) => flaw.Item == 0 ? -flaw.At : flaw.Item;

    private static bool Settle(
        ref byte[] body, PageEvidence evidence, in Flaw flaw, List<Correction> corrections, List<LeftOpen> open)
    {
        var page = body;
        var before = Inspect(page, evidence);
        var edits = LinePointerEdits.Concerns(flaw.Kind) ? LinePointerEdits.For(page, flaw, evidence)
            : VisibilityEdits.Concerns(flaw.Kind) ? VisibilityEdits.For(page, flaw, evidence)
            : TupleEdits.For(page, flaw, evidence);
        var accused = flaw;
        var fitting = edits.Where(edit => edit.Changes(page) && Settles(page, edit, accused, before, evidence))
            .DistinctBy(edit => (edit.At, Convert.ToHexString(edit.After))).ToList();
        if (TieBreak.Choose(page, fitting) is not { } chosen)
        {
            open.Add(new LeftOpen(flaw, Reason(fitting), [.. fitting.SelectMany(edit => edit.Witnesses).Distinct()]));
            return false;
        }
        if (chosen.Witnesses.Any(witness => !witness.Supports))
        {
            open.Add(new LeftOpen(flaw, "the witnesses contradict each other", chosen.Witnesses));
            return false;
        }
        if (chosen is { Basis: Basis.Testimony, Witnesses.Count: 0, IsGuess: false })
        {
            open.Add(new LeftOpen(flaw, "nothing on the page tells what was there", []));
            return false;
        }
        corrections.Add(chosen.Correct(page, flaw.Kind, flaw.Item != 0 ? flaw.Item : LinePointerEdits.ItemAt(chosen.At)));
        body = chosen.On(page);
        return true;
    }

    private static string Reason(List<Edit> fitting) => fitting.Count == 0
        ? "no single change makes it sound"
        : $"{fitting.Count} different changes would make it sound: {string.Join("; ", fitting.Take(4).Select(edit => edit.What))}";

    // Gone must be every flaw of the same item, and nothing may be accused that was not accused before.
    private static bool Settles(byte[] page, Edit edit, Flaw accused, List<Flaw> before, PageEvidence evidence)
    {
        var tried = edit.On(page);
        if (!IndexAgreement.AllowsAt(tried, edit, evidence)) return false;
        var after = Inspect(tried, evidence);
        if (after.Count >= before.Count) return false;
        if (after.Any(flaw => flaw.Kind == accused.Kind && Key(flaw) == Key(accused))) return false;
        if (accused.Item != 0 && after.Any(flaw => flaw.Item == accused.Item)) return false;
        var known = before.Select(flaw => (flaw.Kind, Key(flaw), flaw.Column)).ToHashSet();
        return after.All(flaw => known.Contains((flaw.Kind, Key(flaw), flaw.Column)));
    }
}
