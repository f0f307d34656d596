using System.Buffers.Binary;

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

    /// <summary>FrozenTransactionId; last_value, log_cnt, is_called; HEAP_XMIN_FROZEN and HEAP_XMAX_INVALID (htup_details.h).</summary>
    private const int FrozenXid = 2, Columns = 3, FrozenNoXmax = 0x0B00;
    private const int TupleSize = 24 + 17;
    private const int TupleAt = PageFormat.Size - SpecialSize - ((TupleSize + 7) & ~7);

    /// <summary>SEQ_LOG_VALS (sequence.c): so many values are in the WAL ahead of the last one.</summary>
    public const int MostLogged = 32;

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

    /// <summary>What a damaged page still says, where its tuple looks like one: it never lies anywhere else.</summary>
    public static SequencePage? Remains(ReadOnlySpan<byte> page)
    {
        var tuple = page.Slice(TupleAt, TupleSize);
        var (last, logged, called) = ((long)LittleEndian.U64(tuple, 24), (long)LittleEndian.U64(tuple, 32), tuple[40]);
        return LittleEndian.U16(tuple, 18) == Columns && tuple[22] == Heap.HeapTupleHeader.MinimumSize && logged is >= 0 and <= MostLogged && called is 0 or 1
            ? new SequencePage(last, logged, called == 1) : null;
    }

    /// <summary>The page as the server makes it (fill_seq_fork_with_data): one frozen tuple, the mark at the end. Without a checksum.</summary>
    /// <param name="lsn">A position that the WAL has reached.</param>
    public byte[] Write(ulong lsn)
    {
        const int special = PageFormat.Size - SpecialSize, at = TupleAt;
        var page = new byte[PageFormat.Size];
        Put32(0, (uint)(lsn >> 32));
        Put32(4, (uint)lsn);
        Put16(12, PageFormat.HeaderSize + PageFormat.LinePointerSize);
        Put16(14, at);
        Put16(16, special);
        Put16(18, PageFormat.SizeAndVersion);
        Put32(PageFormat.HeaderSize, at | (1u << 15) | ((uint)TupleSize << 17));
        Put32(at, FrozenXid);
        Put16(at + 16, 1);
        Put16(at + 18, Columns);
        Put16(at + 20, FrozenNoXmax);
        page[at + 22] = Heap.HeapTupleHeader.MinimumSize;
        BinaryPrimitives.WriteInt64LittleEndian(page.AsSpan(at + 24), LastValue);
        BinaryPrimitives.WriteInt64LittleEndian(page.AsSpan(at + 32), LogCount);
        page[at + 40] = IsCalled ? (byte)1 : (byte)0;
        Put32(special, Magic);
        return page;

        void Put16(int offset, int value) => BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(offset), (ushort)value);
        void Put32(int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(offset), value);
    }
}
