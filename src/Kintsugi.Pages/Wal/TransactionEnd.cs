using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Wal;

/// <summary>
/// How a transaction and its subtransactions ended, as a record of resource manager 1 tells it (xl_xact_commit and its kin in xact.h, taken apart as
/// ParseCommitRecord and ParseAbortRecord of xactdesc.c do). In progress stands for a PREPARE.
/// </summary>
public sealed record TransactionEnd(XidOutcome Outcome, uint Xid, IReadOnlyList<uint> Subtransactions)
{
    private const int Commit = 0x00, Prepare = 0x10, Abort = 0x20, CommitPrepared = 0x30, AbortPrepared = 0x40;
    private const uint HasDatabase = 1, HasSubtransactions = 2, HasFiles = 4, HasInvalidations = 8, HasTwoPhase = 16, HasDroppedStatistics = 256;

    /// <returns>Null for any other record, or one that contradicts itself.</returns>
    /// <param name="record">A whole record.</param>
    /// <param name="major">Of the server that wrote it: the entries of dropped statistics grew in 18.</param>
    public static TransactionEnd? Of(WalRecord record, int major)
    {
        var kind = record.Info & 0x70;
        if (record.ResourceManager != 1 || kind is not (Commit or Prepare or Abort or CommitPrepared or AbortPrepared))
            return null;
        if (kind == Prepare)
            return new TransactionEnd(XidOutcome.InProgress, record.Xid, []);
        var data = new Cursor(record.MainData);
        data.Skip(8);
        var info = (record.Info & 0x80) != 0 ? data.Word() : 0;
        if ((info & HasDatabase) != 0)
            data.Skip(8);
        var below = (info & HasSubtransactions) != 0 ? data.Words(data.Word()) : [];
        if ((info & HasFiles) != 0)
            data.Skip(12L * data.Word());
        if ((info & HasDroppedStatistics) != 0)
            data.Skip((major >= 18 ? 16L : 12L) * data.Word());
        if ((info & HasInvalidations) != 0 && kind is Commit or CommitPrepared)
            data.Skip(16L * data.Word());
        var prepared = (info & HasTwoPhase) != 0 ? data.Word() : 0;
        var own = kind is CommitPrepared or AbortPrepared ? prepared : record.Xid;
        return data.Failed || !TransactionIds.IsNormal(own) ? null
            : new TransactionEnd(kind is Commit or CommitPrepared ? XidOutcome.Committed : XidOutcome.Aborted, own, below);
    }

    /// <summary>Transactions and subtransactions that ran when the record was written (xl_running_xacts, standbydefs.h); empty for any other record.</summary>
    public static IReadOnlyList<uint> Running(WalRecord record)
    {
        if (record.ResourceManager != 8 || (record.Info & 0xF0) != 0x10)
            return [];
        var data = new Cursor(record.MainData);
        var count = (long)data.Word() + data.Word();
        data.Skip(16);
        return count > uint.MaxValue ? [] : data.Words((uint)count);
    }

    private sealed class Cursor(ReadOnlyMemory<byte> data)
    {
        private long at;

        public bool Failed { get; private set; }

        public void Skip(long bytes) => Failed |= (at += bytes) > data.Length;

        public uint Word()
        {
            Skip(4);
            return Failed ? 0 : LittleEndian.U32(data.Span, (int)at - 4);
        }

        public uint[] Words(uint count)
        {
            Failed |= count > data.Length / 4;
            var words = new uint[Failed ? 0 : count];
            for (var i = 0; i < words.Length; i++)
                words[i] = Word();
            return words;
        }
    }
}
