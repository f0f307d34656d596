using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Mending;

/// <summary>
/// Rebuilds the page's header. Version and special space are the same on every heap page; pd_lower and pd_upper follow from the line
/// pointers, because tuples lie without a gap between pd_upper and the page's end.
/// </summary>
internal static class HeaderSurgery
{
    /// <summary>Mends the header in place; false when it stays impossible, so that nothing else can be judged.</summary>
    public static bool Mend(ref byte[] body, PageEvidence evidence, List<Correction> corrections, List<LeftOpen> open)
    {
        if (PageHeader.IsAllZero(body)) return true;
        List<LeftOpen> refused = [];
        foreach (var edit in FixedFields(body, evidence, refused)) Make(ref body, edit, Flawed(body, evidence), corrections);
        open.AddRange(refused);
        var flaw = Flawed(body, evidence);
        var isPossible = PageHeader.Read(body).IsPossible && !IsHeader(flaw.Kind);
        if (flaw.Kind == FlawKind.None) return true;
        if (OneField(body, evidence, isPossible) is { } single) Make(ref body, single, flaw, corrections);
        else if (!isPossible && BothFields(body, evidence) is { } both) Make(ref body, both, flaw, corrections);
        if (PageHeader.Read(body).IsPossible) return refused.Count == 0;
        open.Add(new LeftOpen(flaw, "no pd_lower and pd_upper make the line pointers and tuples fit without a gap", []));
        return false;
    }

    private static void Make(ref byte[] body, Edit edit, in Flaw flaw, List<Correction> corrections)
    {
        corrections.Add(edit.Correct(body, flaw.Kind, 0));
        body = edit.On(body);
    }

    private static List<Edit> FixedFields(byte[] page, PageEvidence evidence, List<LeftOpen> refused)
    {
        var header = PageHeader.Read(page);
        List<Edit> edits = [];
        if (header.SizeAndVersion != PageFormat.SizeAndVersion)
            edits.Add(Edit.Word(18, PageFormat.SizeAndVersion, "set pd_pagesize_version as on every page"));
        if (header.Special != PageFormat.Size)
            edits.Add(Edit.Word(16, PageFormat.Size, "set pd_special to the page's end: a heap page has no special space"));
        // A hint when to look for something to prune: none is always true enough.
        if (evidence.Expected.NextXid != 0 && TransactionIds.IsNormal(header.PruneXid)
            && !TransactionIds.Precedes(header.PruneXid, evidence.Expected.NextXid))
            edits.Add(Edit.Long(20, 0, "clear the hint pd_prune_xid"));
        if ((header.Flags & ~7) == 0) return edits;
        if (evidence.Expected.MapBits is { } bits)
            edits.Add(Edit.Word(10, header.Flags & 3 | (bits > 0 ? 4 : 0), "clear flags that do not exist; all-visible as the map says"));
        else if (int.IsPow2(header.Flags & ~7))
            edits.Add(Edit.Word(10, header.Flags & 7, "clear a flag that does not exist"));
        else
            refused.Add(new LeftOpen(new Flaw(FlawKind.PageFlagsUnknown, 10, Actual: header.Flags, Expected: 7),
                "several flags are wrong and the visibility map was not read: whether the page is all-visible is not known", []));
        return edits;
    }

    private static Edit? OneField(byte[] page, PageEvidence evidence, bool isPossible)
    {
        var header = PageHeader.Read(page);
        List<Edit> edits = [];
        foreach (var count in Counts(page).Where(count => IndexAgreement.Allows(page, count, evidence)))
            edits.Add(Edit.Word(12, LinePointer.Position(count + 1), $"set pd_lower behind line pointer {count}"));
        // Free space that begins with a tuple is no free space: then a line pointer was lost, not pd_upper. And where pd_lower may be wrong too, fewer line
        // pointers would fit as well, and the rows of the others be lost: the index must lead to none of them, or nothing like a tuple lie in the free space.
        var upper = Upper(page, header.ItemCount);
        if (isPossible ? !HasLostTuple(page, evidence)
            : evidence.Indexed is null ? !HasLostTuple(upper.On(page), evidence) : IndexAgreement.Allows(page, header.ItemCount, evidence))
            edits.Add(upper);
        var fitting = edits.Where(edit => edit.Changes(page) && Fits(edit.On(page), evidence)).ToList();
        return fitting.Count == 1 ? fitting[0] : null;
    }

    // With both lost, fewer line pointers always fit as well: only the longest array loses no row. What was left in the free space may
    // read as a line pointer that leads nowhere, so the array ends with one that leads to a tuple, or as an index says.
    private static Edit? BothFields(byte[] page, PageEvidence evidence)
    {
        foreach (var count in Counts(page).Where(count => count > 0).Reverse())
        {
            if (evidence.Indexed is null ? LinePointer.Read(page, count).State != LinePointerState.Normal
                : !IndexAgreement.Allows(page, count, evidence)) continue;
            var lower = Edit.Word(12, LinePointer.Position(count + 1), "").After;
            var edit = new Edit(12, [.. lower, .. Upper(page, count).After], $"set pd_lower and pd_upper as {count} line pointers demand")
            {
                Basis = Basis.Testimony,
            };
            if (!Fits(edit.On(page), evidence)) continue;
            List<Witness> witnesses =
            [
                new("no-gap", true, $"{count} line pointers lead to tuples that fill the page to its end without a gap"),
            ];
            if (evidence.Indexed is not null)
                witnesses.Add(new("index", true, "the entries of an index lead to these line pointers and to no others"));
            return edit with { Witnesses = witnesses };
        }
        return null;
    }

    // Unused line pointers at the end of the array say nothing: without them the page is the same.
    private static IEnumerable<int> Counts(byte[] page)
    {
        for (var count = 0; count <= PageFormat.MaxHeapItems; count++)
            if (count == 0 || LinePointer.Read(page, count).State != LinePointerState.Unused) yield return count;
    }

    private static Edit Upper(byte[] page, int count)
    {
        var lowest = PageFormat.Size;
        for (var item = 1; item <= Math.Min(count, PageFormat.MaxHeapItems); item++)
        {
            var pointer = LinePointer.Read(page, item);
            if (HeapPageInspector.IsReadable(page, pointer)) lowest = Math.Min(lowest, pointer.Offset);
        }
        return Edit.Word(14, lowest, "set pd_upper to the first tuple");
    }

    private static bool HasLostTuple(byte[] page, PageEvidence evidence)
    {
        List<LostTuple> lost = [];
        LostTuples.Find(page, evidence.Expected, lost);
        return lost.Count > 0;
    }

    private static bool Fits(byte[] page, PageEvidence evidence) =>
        !PageHeader.Read(page).IsNew && Flawed(page, evidence).Kind == FlawKind.None;

    private static Flaw Flawed(byte[] page, PageEvidence evidence) =>
        PageSurgeon.Inspect(page, evidence).FirstOrDefault(flaw => IsHeader(flaw.Kind) || LinePointerEdits.Concerns(flaw.Kind));

    private static bool IsHeader(FlawKind kind) => kind is FlawKind.NewPageWithData or FlawKind.PageVersion
        or FlawKind.PageFlagsUnknown or FlawKind.LowerTooSmall or FlawKind.LowerBeyondUpper or FlawKind.UpperBeyondSpecial
        or FlawKind.UpperMisaligned or FlawKind.SpecialBeyondPage or FlawKind.SpecialMisaligned or FlawKind.LowerMisaligned
        or FlawKind.TooManyItems or FlawKind.SpecialSpaceWrong or FlawKind.PruneXidInFuture;
}
