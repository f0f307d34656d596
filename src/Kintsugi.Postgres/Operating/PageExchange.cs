using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Operating;

/// <summary>
/// Nobody may have the old pages in memory: the table is locked, what was changed is written out, each page must be the one that was meant, the server's
/// copies leave shared buffers, and only then the file is written; the server has to read back what was written before the lock is given up. The
/// transaction itself is rolled back: nothing in it is to stay.
/// </summary>
internal sealed class PageExchange(Step step, WriteSession session)
{
    /// <summary>Whether the server has to be able to read what was written; what an undo puts back it may refuse.</summary>
    public bool MustRead { get; init; } = true;

    /// <param name="changes">Which pages.</param>
    /// <param name="replace">Makes the new page of the one that is there, or throws when that is not the one that was meant.</param>
    /// <param name="cancellationToken">Stops before the first page is written.</param>
    /// <returns>What is left to be removed by hand, or null.</returns>
    public async ValueTask<string?> Run(
        IReadOnlyList<PageChange> changes, Func<PageChange, byte[], byte[]> replace, CancellationToken cancellationToken)
    {
        var file = await PageFile.Of(session, cancellationToken);
        var major = await session.Value<int>("SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 / 10000", cancellationToken);
        var eviction = new BufferEviction(session, major);
        string? left = null;
        try
        {
            await eviction.Press(step["relation"], [.. changes.Select(change => change.Block)], cancellationToken);
            // Most of what is to be written out is written before anybody has to wait for it.
            await session.ExecuteUnbounded("CHECKPOINT", TimeSpan.FromSeconds(5), cancellationToken);
            await session.Execute("BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE", cancellationToken);
            await Hold(cancellationToken);
            var path = await session.Value<string>("SELECT pg_catalog.pg_relation_filepath($1::pg_catalog.regclass)", cancellationToken, step["relation"]);
            if (path != step["path"])
                throw new HealingException($"{step["relation"]} lies in {path} by now, not in {step["path"]}: it was rewritten since the plan was made", mayPass: true);
            await eviction.Prepare(cancellationToken);
            await session.Execute("CREATE FUNCTION pg_temp.kintsugi_page(pg_catalog.text, pg_catalog.text, "
                + (major >= 14 ? "pg_catalog.int8) RETURNS pg_catalog.bytea AS '$libdir/pageinspect', 'get_raw_page_fork_1_9'"
                    : "pg_catalog.int4) RETURNS pg_catalog.bytea AS '$libdir/pageinspect', 'get_raw_page_fork'") + " LANGUAGE c STRICT", cancellationToken);
            await session.Execute("SET LOCAL statement_timeout = 0", cancellationToken);
            await session.Execute("CHECKPOINT", cancellationToken);
            var written = new List<(long Block, byte[] Page)>();
            foreach (var change in changes)
                written.Add((change.Block, replace(change, await file.Read(path, change.Block, cancellationToken)
                    ?? throw new HealingException($"{step["relation"]} ends before block {change.Block} by now", mayPass: true))));
            await eviction.Run(step["relation"], [.. changes.Select(change => change.Block)], cancellationToken);
            // From here to the proof nothing interrupts: a page that is half done helps nobody.
            foreach (var (block, page) in written)
                await file.Write(path, block, page, CancellationToken.None);
            foreach (var (block, page) in MustRead ? written : [])
                await Prove(block, page, major);
        }
        finally
        {
            if (session.IsOpen)
            {
                await session.Execute("ROLLBACK", CancellationToken.None);
                left = await eviction.TryRelease();
            }
        }
        return left;
    }

    /// <summary>
    /// A TOAST table cannot be locked by itself: its owner is, and a change of its settings keeps VACUUM away from it. Of a sequence the statement is in the step.
    /// </summary>
    private async ValueTask Hold(CancellationToken cancellationToken)
    {
        if (step.Arguments.TryGetValue(WritePagesStep.HoldArgument, out var hold))
        {
            await session.Execute(hold, cancellationToken);
            return;
        }
        await session.Execute($"LOCK TABLE ONLY {step["table"]} IN ACCESS EXCLUSIVE MODE", cancellationToken);
        if (step["table"] != step["relation"])
            await session.Execute($"ALTER TABLE ONLY {step["table"]} SET (toast.autovacuum_enabled = off)", cancellationToken);
    }

    private async ValueTask Prove(long block, byte[] page, int major)
    {
        var read = await session.Value<byte[]>($"SELECT pg_temp.kintsugi_page($1::pg_catalog.regclass::pg_catalog.text, 'main', $2::pg_catalog.int{(major >= 14 ? 8 : 4)})",
            CancellationToken.None, step["relation"], block);
        if (read is null || !read.AsSpan().SequenceEqual(page))
            throw new HealingException($"block {block} of {step["relation"]} was written, but the server reads something else: restart it before it "
                + "writes its own copy, then check again", mayPass: false);
    }
}
