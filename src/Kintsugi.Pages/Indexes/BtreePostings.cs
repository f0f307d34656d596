namespace Kintsugi.Pages.Indexes;

/// <summary>Posting lists of deduplicated btree entries (since 13): one key, many rows.</summary>
internal static class BtreePostings
{
    /// <summary>Adds the rows of a posting list; the tid of such a tuple holds place and number of the list's entries.</summary>
    public static void Read(ReadOnlySpan<byte> page, LinePointer line, in IndexTuple tuple, int item, IndexPageContent content)
    {
        var start = tuple.Tid.Block;
        var count = tuple.Tid.Item & 0x0FFF;
        var space = Math.Min(tuple.Size, line.Length);
        if (count < 2 || start < IndexTuple.HeaderSize || start + (long)count * Tid.Size > space)
        {
            content.Add(FlawKind.PostingListImpossible, line.Offset, item, count, space);
            return;
        }
        var before = new Tid(0, 0);
        for (var index = 0; index < count; index++)
        {
            var at = line.Offset + (int)start + index * Tid.Size;
            var tid = Tid.Read(page, at);
            if (index > 0 && tid <= before) content.Add(FlawKind.PostingListOrder, at, item, index);
            content.AddRow(tid, item, at, line.State == LinePointerState.Dead);
            before = tid;
        }
    }
}
