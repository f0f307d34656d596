using System.Buffers.Binary;
using Kintsugi.Pages;

namespace Kintsugi.Lab.Damage;

/// <summary>Reads and changes parts of a page for injuries. It trusts the page: it is sound until the injury.</summary>
internal static class PageSurgery
{
    public static ushort U16(this byte[] page, int at) => BinaryPrimitives.ReadUInt16LittleEndian(page.AsSpan(at));

    public static uint U32(this byte[] page, int at) => BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(at));

    public static void Put16(this byte[] page, int at, int value) =>
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(at), (ushort)value);

    public static void Put32(this byte[] page, int at, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(at), value);

    public static bool IsNew(this byte[] page) => page.U16(14) == 0;

    public static int Special(this byte[] page) => page.U16(16);

    public static int ItemCount(this byte[] page) => PageHeader.Read(page).ItemCount;

    /// <summary>Line pointer number, from 1.</summary>
    public static LinePointer Item(this byte[] page, int number) => LinePointer.Read(page, number);

    public static void PutItem(this byte[] page, int number, LinePointer pointer) =>
        page.Put32(LinePointer.Position(number), pointer.Encode());

    /// <summary>Numbers of the line pointers whose item has bytes.</summary>
    public static IEnumerable<int> Items(this byte[] page) =>
        Enumerable.Range(1, page.ItemCount()).Where(n => page.Item(n).State == LinePointerState.Normal);

    /// <summary>Takes an item out of an index page, as if it had never been inserted.</summary>
    public static void RemoveItem(this byte[] page, int number)
    {
        for (var n = number; n < page.ItemCount(); n++)
            page.PutItem(n, page.Item(n + 1));
        page.Put16(12, page.U16(12) - PageFormat.LinePointerSize);
    }

    /// <summary>Puts a copy of bytes behind item <paramref name="number"/>, where the page has room for it.</summary>
    public static void InsertItem(this byte[] page, int number, byte[] item)
    {
        var upper = page.U16(14) - PageFormat.Align(item.Length);
        if (page.U16(12) + PageFormat.LinePointerSize > upper)
            throw new LabException("The page has no room for another item.");
        item.CopyTo(page, upper);
        page.Put16(14, upper);
        page.Put16(12, page.U16(12) + PageFormat.LinePointerSize);
        for (var n = page.ItemCount(); n > number; n--)
            page.PutItem(n, page.Item(n - 1));
        page.PutItem(number, new LinePointer(upper, LinePointerState.Normal, item.Length));
    }

    /// <summary>Whether a page of a B-tree is a live leaf (nbtree.h: BTP_LEAF without DELETED, META, HALF_DEAD).</summary>
    public static bool IsBTreeLeaf(this byte[] page) =>
        !page.IsNew() && page.Special() == PageFormat.Size - 16 && (page.U16(page.Special() + 12) & (1 | 4 | 8 | 16)) == 1;

    /// <summary>The right sibling of a B-tree page; 0 when it is the last.</summary>
    public static uint BTreeNext(this byte[] page) => page.U32(page.Special() + 4);

    /// <summary>
    /// The number of the item that points at a heap row, or 0. <paramref name="pointerAt"/> is where in an item the pointer is:
    /// 0 in B-tree, hash and GiST, 6 in SP-GiST.
    /// </summary>
    public static int ItemFor(this byte[] page, (int Block, int Offset) row, int pointerAt = 0)
    {
        var tid = new Tid((uint)row.Block, row.Offset);
        // On a B-tree page with a right sibling item 1 is its high key, which points at no row of its own.
        var first = page.IsBTreeLeaf() && page.BTreeNext() != 0 ? 2 : 1;
        return page.Items().FirstOrDefault(n => n >= first && Tid.Read(page, page.Item(n).Offset + pointerAt) == tid);
    }
}
