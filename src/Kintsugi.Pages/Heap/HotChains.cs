namespace Kintsugi.Pages.Heap;

/// <summary>Finds update chains within one page that no server could have written (README.HOT).</summary>
internal static class HotChains
{
    /// <summary>Adds what is impossible about a redirecting line pointer.</summary>
    public static void InspectRedirect(
        ReadOnlySpan<byte> page, LinePointer pointer, int item, int count, ICollection<Flaw> flaws)
    {
        var at = LinePointer.Position(item);
        if (pointer.Length != 0)
            flaws.Add(new Flaw(FlawKind.RedirectWithLength, at, item, Actual: pointer.Length));
        if (pointer.Target < 1 || pointer.Target > count)
        {
            flaws.Add(new Flaw(FlawKind.RedirectTargetOutOfRange, at, item, Actual: pointer.Target, Expected: count));
            return;
        }
        var target = LinePointer.Read(page, pointer.Target);
        var kind = target.State switch
        {
            LinePointerState.Unused => FlawKind.RedirectTargetUnused,
            LinePointerState.Dead => FlawKind.RedirectTargetDead,
            LinePointerState.Redirect => FlawKind.RedirectToRedirect,
            _ => HeapPageInspector.IsReadable(page, target) && !Head(page, target).IsHeapOnly
                ? FlawKind.RedirectTargetNotHeapOnly
                : FlawKind.None,
        };
        if (kind != FlawKind.None) flaws.Add(new Flaw(kind, at, item, Actual: pointer.Target));
    }

    /// <summary>Adds what is impossible about the chains between the page's tuples.</summary>
    public static void Inspect(ReadOnlySpan<byte> page, int count, HeapExpectations expected, ICollection<Flaw> flaws)
    {
        Span<short> predecessors = stackalloc short[PageFormat.MaxHeapItems + 1];
        predecessors.Clear();
        for (var item = 1; item <= count; item++)
        {
            var next = Next(page, item, count, expected.Block);
            if (next == 0) continue;
            if (predecessors[next] != 0)
                flaws.Add(new Flaw(FlawKind.TwoPredecessors, LinePointer.Position(next), next,
                    Actual: predecessors[next], Expected: item));
            predecessors[next] = (short)item;
            InspectStep(page, item, next, flaws);
        }
        if (expected.Block is null) return;
        for (var item = 1; item <= count; item++)
        {
            var pointer = LinePointer.Read(page, item);
            if (predecessors[item] != 0 || !HeapPageInspector.IsReadable(page, pointer)) continue;
            var head = Head(page, pointer);
            if (head.IsHeapOnly && head.XminCommitted)
                flaws.Add(new Flaw(FlawKind.HeapOnlyRoot, pointer.Offset + 18, item));
        }
    }

    // The line pointer that this one continues at on the same page, 0 when there is none or it is not certain.
    private static int Next(ReadOnlySpan<byte> page, int item, int count, uint? block)
    {
        var pointer = LinePointer.Read(page, item);
        if (pointer.State == LinePointerState.Redirect)
            return pointer.Target >= 1 && pointer.Target <= count ? pointer.Target : 0;
        if (!HeapPageInspector.IsReadable(page, pointer)) return 0;
        var head = Head(page, pointer);
        if (block is null || head.Ctid.Block != block || head.Ctid.Item == item || head.Ctid.Item < 1 || head.Ctid.Item > count)
            return 0;
        var successor = LinePointer.Read(page, head.Ctid.Item);
        if (!HeapPageInspector.IsReadable(page, successor)) return 0;
        var next = Head(page, successor);
        // A multixact's updater stands in pg_multixact; such a step is believed.
        return head.XmaxIsMulti || next.Xmin == head.Xmax && head.Xmax != 0 ? head.Ctid.Item : 0;
    }

    private static void InspectStep(ReadOnlySpan<byte> page, int item, int next, ICollection<Flaw> flaws)
    {
        var from = LinePointer.Read(page, item);
        var to = LinePointer.Read(page, next);
        if (from.State != LinePointerState.Normal || !HeapPageInspector.IsReadable(page, to)) return;
        var head = Head(page, from);
        var successor = Head(page, to);
        if (head.XmaxIsMulti && head.IsLockedOnly || head.XmaxInvalid || head.XminInvalid) return;
        var hot = (head.InfoMask2 & 0x4000) != 0;
        if (hot && !successor.IsHeapOnly && next != 0 && !head.XmaxIsMulti)
            flaws.Add(new Flaw(FlawKind.HotUpdateNotHeapOnly, from.Offset + 18, item, Actual: next));
        if (!hot && successor.IsHeapOnly && !head.XmaxIsMulti)
            flaws.Add(new Flaw(FlawKind.PlainUpdateHeapOnly, from.Offset + 18, item, Actual: next));
    }

    private static HeapTupleHeader Head(ReadOnlySpan<byte> page, LinePointer pointer) =>
        HeapTupleHeader.Read(page.Slice(pointer.Offset, pointer.Length));
}
