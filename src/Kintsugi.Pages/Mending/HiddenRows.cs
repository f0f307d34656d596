using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Mending;

/// <summary>
/// Rows that witnesses from elsewhere call alive while their own bytes say deleted, so that nothing on the page is impossible. Only
/// rows that somebody accused are looked at.
/// </summary>
internal static class HiddenRows
{
    /// <summary>Makes them visible again where the witnesses agree.</summary>
    public static void Mend(ref byte[] body, PageEvidence evidence, List<Correction> corrections, List<LeftOpen> open)
    {
        var count = Math.Min(PageHeader.Read(body).ItemCount, PageFormat.MaxHeapItems);
        foreach (var item in evidence.Alive.Keys.Order())
        {
            if (item < 1 || item > count || open.Any(left => left.Flaw.Item == item)) continue;
            var pointer = LinePointer.Read(body, item);
            if (!HeapPageInspector.IsReadable(body, pointer)) continue;
            var head = HeapTupleHeader.Read(body.AsSpan(pointer.Offset, pointer.Length));
            if (head.XmaxInvalid || head.IsLockedOnly) continue;
            var edit = VisibilityEdits.ClearXmax(body, pointer, item, evidence);
            var before = PageSurgeon.Inspect(body, evidence).Count;
            var flaw = new Flaw(FlawKind.None, pointer.Offset + 4, item, Actual: head.Xmax);
            if (edit.Witnesses.Any(witness => !witness.Supports))
                open.Add(new LeftOpen(flaw, "the witnesses contradict each other", edit.Witnesses));
            else if (PageSurgeon.Inspect(edit.On(body), evidence).Count > before)
                open.Add(new LeftOpen(flaw, "with it visible the page would contradict itself", edit.Witnesses));
            else
            {
                corrections.Add(edit.Correct(body, FlawKind.None, item));
                body = edit.On(body);
            }
        }
    }
}
