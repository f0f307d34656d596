using System.Buffers.Binary;
using System.Text;
using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Mending;

/// <summary>
/// A page whose fields all agree and whose checksum does not: which single bits, set back, would give it the checksum that it carries? If one bit has
/// rotted it is among them. Of 65,536 others each has that checksum by chance once in 65,536, so on average one more fits; whoever chooses must look.
/// </summary>
public static class BitRot
{
    private const int ChecksumAt = 8, Around = 12;

    /// <summary>Every single bit that explains the checksum and leaves a possible page, as the change that sets it back.</summary>
    public static IReadOnlyList<Correction> Explanations(ReadOnlySpan<byte> page, PageEvidence evidence)
    {
        var stored = PageChecksum.Stored(page);
        var block = evidence.Expected.Block ?? 0;
        var found = new List<Correction>();
        var computed = PageChecksum.Compute(page, block);
        if (stored == computed)
            return [];
        if (int.PopCount(stored ^ computed) == 1)
        {
            var right = new byte[2];
            BinaryPrimitives.WriteUInt16LittleEndian(right, computed);
            found.Add(Correct(page, page, 0, ChecksumAt, 2, "the stored checksum itself is off by a bit") with { After = right });
        }
        var tried = page.ToArray();
        for (var bit = 0; bit < PageFormat.Size * 8; bit++)
        {
            var at = bit / 8;
            if (at is ChecksumAt or ChecksumAt + 1)
                continue;
            tried[at] ^= (byte)(1 << (bit % 8));
            if (PageChecksum.Compute(tried, block) == stored && PageSurgeon.Inspect(tried, evidence).Count == 0)
                found.Add(Explain(page, tried, at, evidence));
            tried[at] = page[at];
        }
        return found;
    }

    private static Correction Explain(ReadOnlySpan<byte> page, ReadOnlySpan<byte> tried, int at, PageEvidence evidence)
    {
        var header = PageHeader.Read(page);
        if (at < PageFormat.HeaderSize)
            return Correct(page, tried, 0, at, 1, "a bit of the page's header has flipped");
        if (at < header.Lower)
            return Correct(page, tried, LinePointerEdits.ItemAt(at), at, 1, $"a bit of line pointer {LinePointerEdits.ItemAt(at)} has flipped");
        for (var item = 1; item <= Math.Min(header.ItemCount, PageFormat.MaxHeapItems); item++)
        {
            var line = LinePointer.Read(page, item);
            if (line.HasStorage && at >= line.Offset && at < line.End)
                return Correct(page, tried, item, at, 1, $"a bit of {Place(tried, line, at - line.Offset, evidence)} of line pointer {item} has flipped: "
                    + $"{Show(page, at, line)} was {Show(tried, at, line)}");
        }
        return Correct(page, tried, 0, at, 1, "a bit that no row uses has flipped");
    }

    private static string Place(ReadOnlySpan<byte> page, LinePointer line, int at, PageEvidence evidence)
    {
        var tuple = page.Slice(line.Offset, line.Length);
        if (at < HeapTupleHeader.Read(tuple).DataStart || evidence.Expected.Columns is not { } columns)
            return "the header";
        var slices = new AttributeSlice[columns.Length];
        TupleReader.Deform(tuple, columns, slices);
        var column = Array.FindIndex(slices, slice => slice.Form is not (AttributeForm.Missing or AttributeForm.Null or AttributeForm.Unreadable)
            && at >= slice.Offset && at < slice.End);
        return column < 0 ? "the padding" : $"column {column + 1}";
    }

    /// <summary>A few bytes around it within its row, as a person can read them.</summary>
    private static string Show(ReadOnlySpan<byte> page, int at, LinePointer line)
    {
        var text = new StringBuilder("\"");
        for (var i = Math.Max(line.Offset, at - Around); i < Math.Min(line.End, at + Around + 1); i++)
            text.Append(page[i] is >= 0x20 and < 0x7F and not ((byte)'"') and not ((byte)'\\') ? ((char)page[i]).ToString() : $"\\x{page[i]:x2}");
        return text.Append('"').ToString();
    }

    private static Correction Correct(ReadOnlySpan<byte> page, ReadOnlySpan<byte> tried, int item, int at, int length, string what) => new(
        FlawKind.ChecksumMismatch, item, at, page.Slice(at, length).ToArray(), tried.Slice(at, length).ToArray(), Basis.Testimony,
        [new Witness("checksum", true, "with this bit set back the page has the checksum that it carries")], what);
}
