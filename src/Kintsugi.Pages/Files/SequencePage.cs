namespace Kintsugi.Pages.Files;

/// <summary>The one page of a sequence, with its one tuple (sequence.c).</summary>
/// <param name="LastValue">The latest value handed out or written ahead.</param>
/// <param name="LogCount">How many more values the WAL allows.</param>
/// <param name="IsCalled">Whether the latest value was handed out.</param>
public readonly record struct SequencePage(long LastValue, long LogCount, bool IsCalled)
{
    /// <summary>Magic number in the special space.</summary>
    public const uint Magic = 0x1717;

    private const int SpecialSize = 8;
    private const int TupleSize = 24 + 17;

    /// <summary>Reads the page; null with flaws when it is none.</summary>
    public static SequencePage? Read(ReadOnlySpan<byte> page, ICollection<Flaw> flaws)
    {
        var before = flaws.Count;
        PageHeader.Inspect(page, flaws);
        if (flaws.Count > before) return null;
        var header = PageHeader.Read(page);
        if (header.IsNew || header.SpecialSize != SpecialSize)
        {
            flaws.Add(new Flaw(FlawKind.SpecialSpaceWrong, 16, Actual: header.Special, Expected: PageFormat.Size - SpecialSize));
            return null;
        }
        var magic = LittleEndian.U32(page, header.Special);
        if (magic != Magic) flaws.Add(new Flaw(FlawKind.NotThisKind, header.Special, Actual: magic, Expected: Magic));
        if (header.ItemCount != 1) flaws.Add(new Flaw(FlawKind.OffsetImpossible, 12, Actual: header.ItemCount, Expected: 1));
        if (flaws.Count > before) return null;
        var line = LinePointer.Read(page, 1);
        if (!Heap.HeapPageInspector.IsReadable(page, line) || line.Length < TupleSize)
        {
            flaws.Add(new Flaw(FlawKind.ItemTooShort, PageFormat.HeaderSize, 1, Actual: line.Length, Expected: TupleSize));
            return null;
        }
        var start = line.Offset + Heap.HeapTupleHeader.MinimumSize;
        return new SequencePage(
            (long)LittleEndian.U64(page, start), (long)LittleEndian.U64(page, start + 8), page[start + 16] != 0);
    }
}
