using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Mending;

/// <summary>Whether a page is one that the entries of a whole index could lead to. Where no index was read, every page is.</summary>
internal static class IndexAgreement
{
    /// <summary>Whether an array of this many line pointers holds all that the index leads to, and nothing that it ought to.</summary>
    public static bool Allows(ReadOnlySpan<byte> page, int count, PageEvidence evidence)
    {
        if (evidence.Indexed is not { } indexed) return true;
        if (indexed.Count > 0 && indexed.Max() > count) return false;
        for (var item = 1; item <= count; item++)
            if (!Allows(page, item, indexed)) return false;
        return true;
    }

    /// <summary>Whether the line pointers within these bytes agree with the index, and the tuples that begin there.</summary>
    public static bool AllowsAt(ReadOnlySpan<byte> page, Edit edit, PageEvidence evidence)
    {
        if (evidence.Indexed is not { } indexed) return true;
        for (var item = 1; item <= Math.Min(PageHeader.Read(page).ItemCount, PageFormat.MaxHeapItems); item++)
        {
            var pointer = LinePointer.Read(page, item);
            var isChanged = edit.At == LinePointer.Position(item) || pointer.HasStorage && edit.At >= pointer.Offset && edit.At < pointer.End;
            if (isChanged && !Allows(page, item, indexed)) return false;
        }
        return true;
    }

    // Entries of dead versions may be gone already (bottom-up deletion), so only what is not deleted has to have one.
    private static bool Allows(ReadOnlySpan<byte> page, int item, IReadOnlySet<int> indexed)
    {
        var pointer = LinePointer.Read(page, item);
        if (pointer.State is LinePointerState.Dead or LinePointerState.Redirect) return indexed.Contains(item);
        if (pointer.State == LinePointerState.Unused) return !indexed.Contains(item);
        if (!HeapPageInspector.IsReadable(page, pointer)) return true;
        var head = HeapTupleHeader.Read(page.Slice(pointer.Offset, pointer.Length));
        return head.IsHeapOnly ? !indexed.Contains(item) : indexed.Contains(item) || !head.XmaxInvalid && !head.IsLockedOnly;
    }
}
