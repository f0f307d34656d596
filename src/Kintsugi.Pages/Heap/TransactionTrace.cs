namespace Kintsugi.Pages.Heap;

/// <summary>A transaction that a row version names.</summary>
/// <param name="Xid">The transaction, or the multixact that it took part in.</param>
/// <param name="Proven">How it ended by the hint bits; unknown where pg_xact has to be asked.</param>
/// <param name="Deletes">It deleted or replaced the row version; else it wrote it.</param>
/// <param name="IsMulti">pg_multixact tells who it was.</param>
public readonly record struct TransactionTrace(uint Xid, XidOutcome Proven, bool Deletes, bool IsMulti)
{
    /// <summary>
    /// Adds what the row versions of a heap page name. Frozen ones are left out: nobody asks pg_xact for them, and COPY FREEZE writes them before it
    /// commits. So are lockers: once the server has stopped, nothing depends on how they ended.
    /// </summary>
    /// <returns>False where a row version cannot be read, or is one of VACUUM FULL before 9.0.</returns>
    public static bool Read(ReadOnlySpan<byte> page, List<TransactionTrace> traces)
    {
        var readable = true;
        var count = PageHeader.Read(page).ItemCount;
        for (var item = 1; item <= count; item++)
        {
            var line = LinePointer.Read(page, item);
            if (line.State != LinePointerState.Normal)
                continue;
            if (!line.IsReadable(page) || line.Length < HeapTupleHeader.MinimumSize
                || HeapTupleHeader.Read(page.Slice(line.Offset, line.Length)) is not { IsMoved: false } tuple)
            {
                readable = false;
                continue;
            }
            if (!tuple.IsFrozen && TransactionIds.IsNormal(tuple.Xmin))
                traces.Add(new TransactionTrace(tuple.Xmin, tuple.XminCommitted ? XidOutcome.Committed : tuple.XminInvalid ? XidOutcome.Aborted : XidOutcome.Unknown,
                    Deletes: false, IsMulti: false));
            if (!tuple.XmaxInvalid && !tuple.IsLockedOnly && TransactionIds.IsNormal(tuple.Xmax) || tuple is { XmaxIsMulti: true, XmaxInvalid: false, IsLockedOnly: false })
                traces.Add(new TransactionTrace(tuple.Xmax, tuple is { XmaxCommitted: true, XmaxIsMulti: false } ? XidOutcome.Committed : XidOutcome.Unknown,
                    Deletes: true, tuple.XmaxIsMulti));
        }
        return readable;
    }
}
