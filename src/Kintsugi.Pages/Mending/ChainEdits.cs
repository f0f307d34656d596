using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Mending;

/// <summary>What else may be wrong when a chain is: not the tuple that is accused, but what should lead to it.</summary>
internal static class ChainEdits
{
    /// <summary>Adds line pointers and ctids that may have led to the accused tuple, as rivals of a change of the tuple itself.</summary>
    public static void Add(byte[] page, in Flaw flaw, PageEvidence evidence, List<Edit> edits)
    {
        var count = Math.Min(PageHeader.Read(page).ItemCount, PageFormat.MaxHeapItems);
        var target = LinePointer.Read(page, flaw.Item);
        var xmin = HeapPageInspector.IsReadable(page, target)
            ? HeapTupleHeader.Read(page.AsSpan(target.Offset, target.Length)).Xmin : TransactionIds.Invalid;
        for (var item = 1; item <= count; item++)
        {
            var pointer = LinePointer.Read(page, item);
            if (item == flaw.Item) continue;
            if (pointer.State is LinePointerState.Redirect or LinePointerState.Dead or LinePointerState.Unused)
                edits.Add(Redirect(item, flaw.Item));
            else if (evidence.Expected.Block is { } block && HeapPageInspector.IsReadable(page, pointer)
                && HeapTupleHeader.Read(page.AsSpan(pointer.Offset, pointer.Length)).Xmax is var xmax && xmax == xmin && xmax != 0)
                edits.Add(Edit.Ctid(pointer.Offset + 12, new Tid(block, flaw.Item), $"the version at {item} was updated into {flaw.Item}") with
                {
                    Basis = Basis.Testimony,
                    Witnesses = [new Witness("same-xid", true, $"the transaction that ended {item} wrote {flaw.Item}")],
                });
            if (pointer.State == LinePointerState.Redirect && (flaw.Actual == item || flaw.Expected == item))
                Elsewhere(page, item, count, edits);
        }
        if (target.State == LinePointerState.Redirect) Elsewhere(page, flaw.Item, count, edits);
    }

    /// <summary>A redirect led to this tuple: told by elimination alone, so a person has to agree.</summary>
    public static Edit Redirect(int item, int target) =>
        Edit.Pointer(item, new LinePointer(target, LinePointerState.Redirect, 0), $"line pointer {item} leads on to {target}") with
        {
            Basis = Basis.Testimony,
            Witnesses = [new Witness("nobody-else", true, $"line pointer {target} is heap-only and nothing else leads to it")],
        };

    private static void Elsewhere(byte[] page, int item, int count, List<Edit> edits)
    {
        for (var target = 1; target <= count; target++)
        {
            var pointer = LinePointer.Read(page, target);
            if (HeapPageInspector.IsReadable(page, pointer)
                && HeapTupleHeader.Read(page.AsSpan(pointer.Offset, pointer.Length)).IsHeapOnly)
                edits.Add(Redirect(item, target));
        }
    }
}
