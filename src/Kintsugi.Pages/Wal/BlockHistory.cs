namespace Kintsugi.Pages.Wal;

/// <summary>What a stretch of WAL says of one block.</summary>
public sealed class BlockTrace
{
    /// <summary>Where the last record begins that replay needs no older page for: a full-page image, or a page built from nothing; 0 for none.</summary>
    public ulong WholeFrom { get; internal set; }

    /// <summary>End of the last record that touched the block, the LSN that its page carries; 0 for none.</summary>
    public ulong LastEnd { get; internal set; }

    /// <summary>End of a later record that marked it all-visible: the page carries that one only where hint bits are logged.</summary>
    public ulong MarkedEnd { get; internal set; }

    /// <summary>The newest transaction that touched it.</summary>
    public uint NewestXid { get; internal set; }

    /// <summary>The page itself, where the last record carried the whole of it.</summary>
    public byte[]? Page { get; internal set; }

    /// <summary>Whether a page with that LSN is the block as the WAL leaves it.</summary>
    public bool EndsAt(ulong lsn) => LastEnd != 0 && (lsn == LastEnd || lsn == MarkedEnd && MarkedEnd > LastEnd);
}

/// <summary>
/// Follows some blocks through WAL that is read in order and without a gap. A page whose LSN is the end of the last record that touched its block is
/// that block, whatever lies on the disk.
/// </summary>
public sealed class BlockHistory
{
    // rmgrlist.h, and the records' own bits (storage_xlog.h, pg_control.h, heapam_xlog.h).
    private const int Xlog = 0, Storage = 2, Tablespaces = 5, Heap2 = 9;
    private const int ParameterChange = 0x60, FullPageWritesChange = 0x80, Truncate = 0x20, Visible = 0x40;

    private readonly Dictionary<BlockAddress, BlockTrace> traces;

    /// <param name="wanted">The blocks that are followed.</param>
    public BlockHistory(IEnumerable<BlockAddress> wanted) => traces = wanted.ToDictionary(address => address, _ => new BlockTrace());

    /// <summary>What was heard of a block.</summary>
    public BlockTrace this[BlockAddress block] => traces[block];

    /// <summary>Where full_page_writes or wal_level was changed last: before it the WAL may not hold every page whole. 0 for nowhere.</summary>
    public ulong SettingsChanged { get; private set; }

    /// <summary>Where a tablespace was made or dropped last: a server that replays it would reach for its directory. 0 for nowhere.</summary>
    public ulong TablespaceChanged { get; private set; }

    /// <summary>Hears the next record.</summary>
    public void Take(WalRecord record)
    {
        var kind = record.Info & 0xF0;
        if (record.ResourceManager == Xlog && kind is ParameterChange or FullPageWritesChange)
            SettingsChanged = record.Lsn;
        if (record.ResourceManager == Tablespaces)
            TablespaceChanged = record.Lsn;
        if (record.ResourceManager == Storage && kind == Truncate)
            Cut(record);
        foreach (var block in record.Blocks)
            if (traces.TryGetValue(block.Address, out var trace))
                Follow(record, block, trace, record.ResourceManager == Heap2 && kind == Visible && block is { Id: 1, ImageApplies: false });
    }

    private static void Follow(WalRecord record, in WalBlockReference block, BlockTrace trace, bool marks)
    {
        trace.Page = null;
        if (TransactionIds.IsNormal(record.Xid) && (trace.NewestXid == 0 || TransactionIds.Precedes(trace.NewestXid, record.Xid)))
            trace.NewestXid = record.Xid;
        if (marks)
        {
            trace.MarkedEnd = record.End;
            return;
        }
        trace.LastEnd = record.End;
        if (!block.ImageApplies && !block.WillInit)
            return;
        trace.WholeFrom = record.Lsn;
        var page = new byte[PageFormat.Size];
        if (!block.ImageApplies || !block.TryRestore(record.Bytes.Span, page))
            return;
        // The image carries the LSN of before: high word, low word (PageXLogRecPtr, bufpage.h).
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(page, (uint)(record.End >> 32));
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(4), (uint)record.End);
        trace.Page = page;
    }

    /// <summary>A block behind the new end is gone; should it come again, then from nothing (xl_smgr_truncate).</summary>
    private void Cut(WalRecord record)
    {
        var data = record.MainData.Span;
        if (data.Length < 16)
            return;
        var (first, space, database, file) = (LittleEndian.U32(data, 0), LittleEndian.U32(data, 4), LittleEndian.U32(data, 8), LittleEndian.U32(data, 12));
        foreach (var address in traces.Keys.Where(one => one.Tablespace == space && one.Database == database && one.File == file && one.Block >= first).ToList())
            traces[address] = new BlockTrace();
    }
}
