namespace Kintsugi.Pages.Indexes;

/// <summary>Line pointers of index pages. A dead one keeps its bytes: it is an entry that a scan killed.</summary>
internal static class IndexItems
{
    private const int ShortestItem = 8;

    /// <summary>Whether item <paramref name="item"/> can be read; adds a flaw when it should be readable and is not.</summary>
    public static bool TryGet(
        ReadOnlySpan<byte> page, in PageHeader header, int item, IndexPageContent content, out LinePointer line,
        bool mayBeUnused = false)
    {
        line = LinePointer.Read(page, item);
        var at = LinePointer.Position(item);
        if (line.State == LinePointerState.Redirect || line.State == LinePointerState.Unused && !mayBeUnused)
            content.Add(FlawKind.ItemStateIllegal, at, item, (int)line.State);
        else if (line.State == LinePointerState.Unused) return false;
        else if ((line.Offset & 7) != 0) content.Add(FlawKind.ItemMisaligned, at, item, line.Offset);
        else if (line.Length < ShortestItem) content.Add(FlawKind.ItemTooShort, at, item, line.Length, ShortestItem);
        else if (line.Offset < header.Upper) content.Add(FlawKind.ItemBeforeUpper, at, item, line.Offset, header.Upper);
        else if (line.End > header.Special) content.Add(FlawKind.ItemBeyondSpecial, at, item, line.End, header.Special);
        else return true;
        return false;
    }

    /// <summary>
    /// Adds a flaw when the items do not fill the space from pd_upper to the special space exactly. Every deletion compacts
    /// the page, so bytes that belong to no item are an entry that was lost, and too many bytes are two on one place.
    /// </summary>
    public static void CheckSpace(ReadOnlySpan<byte> page, in PageHeader header, IndexPageContent content)
    {
        if ((header.Lower - PageFormat.HeaderSize) % PageFormat.LinePointerSize != 0)
            content.Add(FlawKind.LowerMisaligned, 12, actual: header.Lower);
        var used = 0;
        for (var item = 1; item <= header.ItemCount; item++) used += PageFormat.Align(LinePointer.Read(page, item).Length);
        var space = header.Special - header.Upper;
        if (used < space) content.Add(FlawKind.ItemGap, header.Upper, actual: space - used);
        if (used > space) content.Add(FlawKind.ItemsOverlap, header.Upper, actual: used, expected: space);
    }
}

/// <summary>The first eight bytes of most index entries (IndexTupleData, itup.h).</summary>
internal readonly record struct IndexTuple(Tid Tid, ushort Info)
{
    public const int HeaderSize = 8;

    public int Size => Info & 0x1FFF;

    /// <summary>The access method's own bit: for btree, the tid is no row.</summary>
    public bool IsReserved => (Info & 0x2000) != 0;

    public bool HasVarlena => (Info & 0x4000) != 0;

    public bool HasNulls => (Info & 0x8000) != 0;

    public static IndexTuple Read(ReadOnlySpan<byte> page, int at) => new(Tid.Read(page, at), LittleEndian.U16(page, at + 6));
}
