using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Mending;

/// <summary>What a damaged line pointer may have been: the bytes that no other line pointer leads to tell.</summary>
internal static class LinePointerEdits
{
    /// <summary>Whether the flaw is one of line pointers.</summary>
    public static bool Concerns(FlawKind kind) => kind is FlawKind.ItemMisaligned or FlawKind.ItemTooShort
        or FlawKind.ItemBeforeUpper or FlawKind.ItemBeyondSpecial or FlawKind.ItemsOverlap or FlawKind.ItemGap
        or FlawKind.UnusedWithStorage or FlawKind.DeadWithStorage or FlawKind.RedirectWithLength
        or FlawKind.RedirectTargetOutOfRange or FlawKind.RedirectTargetUnused or FlawKind.RedirectTargetDead
        or FlawKind.RedirectToRedirect;

    /// <summary>The line pointer whose bytes begin here, 0 for none.</summary>
    public static int ItemAt(int at) =>
        at >= PageFormat.HeaderSize ? (at - PageFormat.HeaderSize) / PageFormat.LinePointerSize + 1 : 0;

    /// <summary>Every change of one line pointer that might settle the flaw.</summary>
    public static List<Edit> For(byte[] page, in Flaw flaw, PageEvidence evidence)
    {
        List<Edit> edits = [];
        if (flaw.Kind == FlawKind.ItemGap)
        {
            for (var item = 1; item <= Count(page); item++) Suspect(page, item, evidence, edits);
            return edits;
        }
        Suspect(page, flaw.Item, evidence, edits);
        // Of two that overlap either may be the wrong one.
        if (flaw.Kind == FlawKind.ItemsOverlap)
            for (var item = 1; item <= Count(page); item++)
                if (item != flaw.Item && Overlap(page, item, flaw.Item)) Suspect(page, item, evidence, edits);
        return edits;
    }

    private static void Suspect(byte[] page, int item, PageEvidence evidence, List<Edit> edits)
    {
        var pointer = LinePointer.Read(page, item);
        var isLost = pointer.State is LinePointerState.Unused or LinePointerState.Dead && !pointer.HasStorage;
        if (pointer.State != LinePointerState.Normal && pointer.HasStorage)
            edits.Add(Edit.Pointer(item, pointer with { State = LinePointerState.Normal }, $"line pointer {item} leads to a tuple again"));
        List<LostTuple> lost = [];
        var without = Edit.Long(LinePointer.Position(item), 0, "").On(page);
        LostTuples.Find(without, evidence.Expected, lost);
        foreach (var tuple in lost.Where(tuple => tuple.IsExact))
        {
            var edit = Edit.Pointer(item, new LinePointer(tuple.Offset, LinePointerState.Normal, tuple.Length),
                $"line pointer {item} leads to the {tuple.Length} bytes from {tuple.Offset} again");
            // A version that nobody replaced names itself: the bytes of another line pointer, lost as well, are not this one's.
            var names = tuple.Header.Ctid.Item == item;
            if (!names && tuple.Header.XmaxInvalid) continue;
            edits.Add(names && !isLost
                ? edit
                : edit with { Basis = Basis.Testimony, Witnesses = Witnesses(page, item, pointer, tuple, evidence) });
        }
        if (isLost) return;
        if (pointer.State == LinePointerState.Redirect) Redirects(page, item, edits);
        // Never had bytes: a redirect, dead or free one whose bits were turned. Whether dead or free an index tells.
        if (evidence.Indexed is { } indexed && !HeapPageInspector.IsReadable(page, pointer with { State = LinePointerState.Normal })
            && PageSurgeon.Inspect(without, evidence).All(left => left.Kind != FlawKind.ItemGap))
            edits.Add(Edit.Pointer(item, new LinePointer(0, indexed.Contains(item) ? LinePointerState.Dead : LinePointerState.Unused, 0),
                $"line pointer {item} leads nowhere") with
            {
                Basis = Basis.Testimony,
                Witnesses = [new Witness("index", true, indexed.Contains(item)
                    ? "an index entry still leads here" : "no index entry leads here")],
            });
    }

    private static void Redirects(byte[] page, int item, List<Edit> edits)
    {
        for (var target = 1; target <= Count(page); target++)
        {
            var pointer = LinePointer.Read(page, target);
            if (!HeapPageInspector.IsReadable(page, pointer) || !Head(page, pointer).IsHeapOnly) continue;
            edits.Add(target == LinePointer.Read(page, item).Target
                ? Edit.Pointer(item, new LinePointer(target, LinePointerState.Redirect, 0), $"the redirect {item} has no length")
                : ChainEdits.Redirect(item, target));
        }
    }

    // heap_force_kill of pg_surgery leaves a dead line pointer and the bytes, and VACUUM then frees the pointer and not the bytes
    // (neither compacts the page). A gap alone is therefore no accident yet: somebody else has to name this line pointer.
    private static List<Witness> Witnesses(byte[] page, int item, LinePointer pointer, in LostTuple tuple, PageEvidence evidence)
    {
        List<Witness> witnesses = [];
        if (tuple.Header.Ctid.Item == item) witnesses.Add(new("own-ctid", true, "the tuple's own ctid names this line pointer"));
        if (pointer.State == LinePointerState.Dead)
            witnesses.Add(new("killed", false, "a dead line pointer beside its bytes is what heap_force_kill leaves"));
        if (Predecessor(page, item, tuple.Header, evidence) is { } before)
            witnesses.Add(new("predecessor", true, $"line pointer {before} holds the version before it"));
        if (evidence.Indexed is { } indexed && !tuple.Header.IsHeapOnly)
            witnesses.Add(indexed.Contains(item)
                ? new Witness("index", true, "an index entry leads to this line pointer")
                : new Witness("index", false, "no index entry leads to this line pointer: it may have been killed and vacuumed on purpose"));
        if (evidence.Alive.TryGetValue(item, out var alive)) witnesses.AddRange(alive);
        return witnesses;
    }

    private static int? Predecessor(byte[] page, int item, in HeapTupleHeader lost, PageEvidence evidence)
    {
        for (var other = 1; other <= Count(page); other++)
        {
            var pointer = LinePointer.Read(page, other);
            if (pointer.State == LinePointerState.Redirect && pointer.Target == item && lost.IsHeapOnly) return other;
            if (other == item || !HeapPageInspector.IsReadable(page, pointer)) continue;
            var head = Head(page, pointer);
            if (head.Ctid.Item == item && head.Ctid.Block == evidence.Expected.Block && head.Xmax == lost.Xmin && head.Xmax != 0)
                return other;
        }
        return null;
    }

    private static bool Overlap(byte[] page, int item, int other)
    {
        var (one, two) = (LinePointer.Read(page, item), LinePointer.Read(page, other));
        return one.State == LinePointerState.Normal && one.Offset < two.End && two.Offset < one.End;
    }

    private static int Count(byte[] page) => Math.Min(PageHeader.Read(page).ItemCount, PageFormat.MaxHeapItems);

    private static HeapTupleHeader Head(byte[] page, LinePointer pointer) =>
        HeapTupleHeader.Read(page.AsSpan(pointer.Offset, pointer.Length));
}
