namespace Kintsugi.Pages.Indexes;

/// <summary>The rows of one GIN key, packed as differences in seven-bit groups (ginpostinglist.c).</summary>
internal static class GinPostings
{
    // Item numbers take eleven bits of a packed row (MaxHeapTuplesPerPageBits).
    private const int ItemBits = 11;
    private const int LongestNumber = 7;
    private const int TreeMark = 0xFFFF;
    private const uint CompressedMark = 0x80000000;

    /// <summary>Bytes of a list before its packed part: first row and length.</summary>
    public const int ListHeader = 8;

    /// <summary>Reads a leaf entry: a list within the tuple, or the root of a tree of lists.</summary>
    public static void ReadEntry(
        ReadOnlySpan<byte> page, LinePointer line, in IndexTuple tuple, int item, IndexPageContent content)
    {
        if (tuple.Tid.Item == TreeMark)
        {
            content.AddChild(tuple.Tid.Block, item, line.Offset);
            return;
        }
        var start = (int)(tuple.Tid.Block & ~CompressedMark);
        var count = tuple.Tid.Item;
        if (count == 0) return;
        var packed = (tuple.Tid.Block & CompressedMark) != 0;
        if (start < IndexTuple.HeaderSize || start > line.Length - Tid.Size)
        {
            content.Add(FlawKind.PostingListImpossible, line.Offset, item, count, line.Length);
            return;
        }
        var list = page.Slice(line.Offset + start, line.Length - start);
        var read = packed
            ? ReadList(list, item, line.Offset + start, content, out _)
            : ReadPlain(list, count, item, line, start, content);
        if (read >= 0 && read != count)
            content.Add(FlawKind.PostingListImpossible, line.Offset + 4, item, count, read);
    }

    /// <summary>Reads one packed list and says how many bytes it takes; the number of rows, or -1 with a flaw.</summary>
    public static int ReadList(ReadOnlySpan<byte> bytes, int item, int at, IndexPageContent content, out int taken)
    {
        taken = bytes.Length;
        if (bytes.Length < ListHeader || ListHeader + LittleEndian.U16(bytes, 6) > bytes.Length)
            return Impossible(bytes, item, at, content);
        var end = ListHeader + LittleEndian.U16(bytes, 6);
        taken = (end + 1) & ~1;
        var row = Tid.Read(bytes, 0);
        content.AddRow(row, item, at);
        var number = ((ulong)row.Block << ItemBits) | (uint)row.Item;
        var count = 1;
        for (var next = ListHeader; next < end; count++)
        {
            if (!ReadNumber(bytes[..end], ref next, out var difference)) return Impossible(bytes, item, at, content);
            if (difference == 0) content.Add(FlawKind.PostingListOrder, at + next, item, count);
            number += difference;
            if (number >> ItemBits >= Tid.NoBlock) return Impossible(bytes, item, at, content);
            content.AddRow(new Tid((uint)(number >> ItemBits), (int)(number & ((1 << ItemBits) - 1))), item, at);
        }
        return count;
    }

    private static int ReadPlain(
        ReadOnlySpan<byte> list, int count, int item, LinePointer line, int start, IndexPageContent content)
    {
        if (count * Tid.Size > list.Length) return 0;
        for (var index = 0; index < count; index++)
            content.AddRow(Tid.Read(list, index * Tid.Size), item, line.Offset + start + index * Tid.Size);
        return count;
    }

    private static bool ReadNumber(ReadOnlySpan<byte> bytes, ref int at, out ulong value)
    {
        value = 0;
        for (var group = 0; group < LongestNumber && at < bytes.Length; group++)
        {
            var next = bytes[at++];
            value |= (ulong)(next & 0x7F) << (7 * group);
            if ((next & 0x80) == 0) return true;
        }
        return false;
    }

    private static int Impossible(ReadOnlySpan<byte> bytes, int item, int at, IndexPageContent content)
    {
        content.Add(FlawKind.PostingListImpossible, at, item, 0, bytes.Length);
        return -1;
    }
}
