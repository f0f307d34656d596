using Kintsugi.Pages;
using Kintsugi.Pages.Crossing;
using Kintsugi.Pages.Indexes;

namespace Kintsugi.Postgres.Checks.Crossing;

/// <summary>The downlinks of one level of a btree from left to right, each with the separator that stands before its child.</summary>
internal sealed class PivotCursor(PageStream stream, uint first, bool checksums)
{
    private readonly IndexPageContent content = new();
    private ReadOnlyMemory<byte> page;
    private uint next = first;
    private int at;
    private int pages;

    /// <summary>The high key of the page before this one: what the first downlink of a page stands for.</summary>
    private byte[] low = [];

    /// <summary>The child; 0 when there is none left.</summary>
    public uint Child { get; private set; }

    /// <summary>The page that the downlink stands on.</summary>
    public uint Page { get; private set; }

    /// <summary>The separator before the child; empty for the leftmost of the level.</summary>
    public ReadOnlyMemory<byte> Separator { get; private set; }

    /// <param name="most">Blocks of the file: more pages than that are a circle, which the walk over this very level has reported.</param>
    public async ValueTask Move(long most, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (at < content.Children.Count)
            {
                var entry = content.Children[at];
                var line = LinePointer.Read(page.Span, entry.Item);
                Child = entry.Tid.Block;
                Separator = at == 0 ? low : page.Slice(line.Offset, line.Length);
                at++;
                return;
            }
            if (next == 0 || ++pages > most)
                break;
            if (content.Role == IndexPageRole.Inner)
            {
                var high = LinePointer.Read(page.Span, 1);
                low = page.Slice(high.Offset, high.Length).ToArray();
            }
            Page = next;
            page = await stream.Read(next, cancellationToken);
            if (page.IsEmpty || IndexLevels.Read(page.Span, next, checksums, content) is not null || content.Role != IndexPageRole.Inner)
                break;
            next = BtreePage.Read(page.Span).Right;
            at = 0;
        }
        Child = 0;
        Separator = default;
    }

    /// <summary>Whether two entries are the same separator but for the page that they lead to (bt_pivot_tuple_identical in verify_nbtree.c).</summary>
    public static bool AreSame(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other) =>
        one.Length == other.Length && (one.IsEmpty || one[4..].SequenceEqual(other[4..]));
}
