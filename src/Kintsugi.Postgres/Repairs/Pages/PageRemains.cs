using Kintsugi.Pages;
using Kintsugi.Pages.Wal;
using Kintsugi.Postgres.Checks.Storage;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Scratch;

namespace Kintsugi.Postgres.Repairs.Pages;

/// <summary>
/// Pages as the WAL has them. The proof is the LSN: a page that carries the end of the last record that touched its block, with all WAL from there to the
/// server's own end read and none of it naming the block again, is the block.
/// </summary>
internal sealed class PageRemains(string directory, Patient patient, TimeProvider clock)
{
    /// <summary>More WAL than that is not copied and replayed beside a working server.</summary>
    private const ulong MostWal = 1UL << 30;

    private readonly List<FoundCheckpoint> checkpoints = [];

    /// <summary>Why a block is not among the answers, the first such.</summary>
    public string? Reason { get; private set; }

    /// <summary>Where the readable WAL begins.</summary>
    public ulong Begins { get; private set; }

    /// <summary>The records that were read end here.</summary>
    public ulong Ends { get; private set; }

    /// <param name="table">Whose blocks.</param>
    /// <param name="blocks">Which.</param>
    /// <param name="cancellationToken">Between records.</param>
    /// <returns>Sealed pages that are proven; none where the WAL tells nothing.</returns>
    public async ValueTask<IReadOnlyDictionary<long, byte[]>> Of(Relation table, IReadOnlyCollection<long> blocks, CancellationToken cancellationToken)
    {
        var (end, oldest, space, database) = (await patient.Session.Rows("""
            SELECT pg_catalog.pg_current_wal_flush_lsn()::pg_catalog.text, pg_catalog.txid_snapshot_xmin(pg_catalog.txid_current_snapshot()),
                   CASE c.reltablespace WHEN 0 THEN d.dattablespace ELSE c.reltablespace END, d.oid
            FROM pg_catalog.pg_class c, pg_catalog.pg_database d WHERE c.oid = $1 AND d.datname = pg_catalog.current_database()
            """, row => (Checks.Storage.WalEnd.Parse(row.GetString(0)), (uint)row.GetInt64(1), row.GetFieldValue<uint>(2), row.GetFieldValue<uint>(3)), cancellationToken, table.Oid))[0];
        var wanted = blocks.ToDictionary(block => block, block => new BlockAddress(space, database, table.Filenode, 0, (uint)block));
        var history = new BlockHistory(wanted.Values);
        var wal = WalRemains.Read(directory, (record, _) =>
        {
            Begins = Begins == 0 ? record.Lsn : Begins;
            if (FoundCheckpoint.Of(record) is { } found && found.Redo >= Begins)
                checkpoints.Add(found);
            history.Take(record);
        }, cancellationToken);
        Ends = wal?.End ?? 0;
        if (wal is null || !wal.Reaches(end))
            return Nothing($"the WAL in pg_wal can be read up to {PageJudge.Lsn(Ends)} only, and the server's goes to {PageJudge.Lsn(end)}");
        var proven = new Dictionary<long, byte[]>();
        var open = new List<long>();
        foreach (var (block, address) in wanted)
        {
            var trace = history[address];
            if (trace.WholeFrom == 0 || history.SettingsChanged > trace.WholeFrom)
                Reason ??= $"block {block}: the WAL in pg_wal, from {PageJudge.Lsn(Begins)} on, "
                    + $"{(trace.LastEnd == 0 ? "does not name it" : "has changes of it, and not the page that they were made to")}";
            else if (trace.NewestXid != 0 && !TransactionIds.Precedes(trace.NewestXid, oldest))
                Reason ??= $"block {block}: transaction {trace.NewestXid}, which changed it, has not ended or is as young as one that has not";
            else if (trace.Page is { } page)
                proven[block] = page;
            else
                open.Add(block);
        }
        if (open.Count > 0)
            foreach (var (block, page) in await Replayed(table, open, open.Min(block => history[wanted[block]].WholeFrom), history, wal, cancellationToken))
                if (history[wanted[block]].EndsAt(PageHeader.Read(page).Lsn))
                    proven[block] = page;
                else
                    Reason ??= $"block {block}: replay of the WAL ended at {PageJudge.Lsn(PageHeader.Read(page).Lsn)}, its last change at {PageJudge.Lsn(history[wanted[block]].LastEnd)}";
        foreach (var (block, page) in proven)
            if (patient.Can.DataChecksums != false)
                PageChecksum.Seal(page, (uint)block);
        return proven;
    }

    private async ValueTask<IReadOnlyDictionary<long, byte[]>> Replayed(
        Relation table, IReadOnlyCollection<long> blocks, ulong from, BlockHistory history, WalRemains wal, CancellationToken cancellationToken)
    {
        if (checkpoints.FindLast(one => one.Redo <= from) is not { } start)
            return Nothing($"the WAL in pg_wal holds no checkpoint before {PageJudge.Lsn(from)}, where the blocks' own begins");
        if (history.TablespaceChanged >= start.Redo)
            return Nothing($"a tablespace was made or dropped at {PageJudge.Lsn(history.TablespaceChanged)}: a replay would reach for its directory");
        if (wal.End - start.Redo > MostWal)
            return Nothing($"{(wal.End - start.Redo) >> 20} MB of WAL would have to be replayed beside the server");
        try
        {
            var programs = ServerPrograms.Find(patient.Can.Major, null, directory);
            return await new WalReplay(directory, programs, clock).Run(start, wal, table.Path!, blocks, cancellationToken);
        }
        catch (HealingException failed)
        {
            return Nothing($"the WAL could not be replayed apart: {failed.Message}");
        }
    }

    private Dictionary<long, byte[]> Nothing(string why)
    {
        Reason ??= why;
        return [];
    }
}
