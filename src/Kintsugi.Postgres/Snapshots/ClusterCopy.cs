using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Snapshots;

/// <summary>
/// Copies a running cluster by the backup API (PostgreSQL manual, "Making a Base Backup Using the Low Level API"): one session
/// stays open from
/// start to stop, a temporary slot holds the WAL that the copy needs, and damaged bytes are copied as they are.
/// </summary>
internal sealed class ClusterCopy(ISnapshotShelf shelf, SessionFactory factory, Patient patient)
{
    private const string Why = "The snapshot of the whole cluster cannot be taken";

    public async ValueTask<string> Take(SnapshotManifest manifest, CancellationToken cancellationToken)
    {
        var directory = patient.Files?.Directory ?? throw new HealingException(
            $"{Why}: the data directory cannot be reached from here. Run kintsugi on the server's machine as its owner, or name "
                + "it with -D.",
            mayPass: false);
        if (patient.Can.InRecovery)
            throw new HealingException($"{Why} on a standby: take it on the primary.", mayPass: false);
        await using var session = await factory.OpenWrite(null, cancellationToken);
        await HoldWal(session, cancellationToken);
        var start = await Start(session, cancellationToken);
        var files = new ClusterFiles(directory, running: true);
        files.Gather();
        var begun = manifest with { Lsn = start, Tablespaces = files.Tablespaces, Objects = [] };
        await using var draft = await shelf.Begin(begun, files.Bytes, cancellationToken);
        foreach (var name in files.Directories)
            draft.AddDirectory(name);
        foreach (var (source, name) in files.Found)
            await draft.Copy(source, name, null, cancellationToken);
        await CopyConfiguration(draft, session, directory, cancellationToken);
        var (stop, label) = await Stop(session, cancellationToken);
        await draft.Write($"{SnapshotLayout.Data}/backup_label", Text(label), null, cancellationToken);
        await CopyWal(draft, session, directory, start, stop, cancellationToken);
        await draft.Complete(whole => whole with { EndLsn = stop }, cancellationToken);
        return draft.Id;
    }

    /// <summary>A slot of this session alone: it goes with the session, whatever becomes of us.</summary>
    private static async ValueTask HoldWal(WriteSession session, CancellationToken cancellationToken)
    {
        try
        {
            await session.Execute("SELECT pg_catalog.pg_create_physical_replication_slot('kintsugi_snapshot_' || "
                + "pg_catalog.pg_backend_pid(), "
                + "immediately_reserve := true, temporary := true)", cancellationToken);
        }
        catch (PatientException problem) when (!problem.ConnectionLost)
        {
            throw new HealingException(
                $"{Why}: the WAL that it needs cannot be held ({problem.Message}). It takes a role with REPLICATION, wal_level "
                    + "replica or logical, "
                + "and a free replication slot (max_replication_slots).", mayPass: false, problem);
        }
    }

    private async ValueTask<string> Start(WriteSession session, CancellationToken cancellationToken)
    {
        var sql = patient.Can.Major >= 15
            ? "SELECT pg_catalog.pg_backup_start('kintsugi', fast := true)::pg_catalog.text"
            : "SELECT pg_catalog.pg_start_backup('kintsugi', fast := true, exclusive := false)::pg_catalog.text";
        return await session.Value<string>(sql, cancellationToken)
            ?? throw new HealingException($"{Why}: no position was given.", mayPass: false);
    }

    private async ValueTask<(string Position, string Label)> Stop(WriteSession session, CancellationToken cancellationToken)
    {
        // Not waiting for the archiver: the WAL is taken from pg_wal, and an archiver that is stuck is a reason to be here.
        var sql = patient.Can.Major >= 15
            ? "SELECT lsn::pg_catalog.text, labelfile FROM pg_catalog.pg_backup_stop(wait_for_archive := false)"
            : "SELECT lsn::pg_catalog.text, labelfile FROM pg_catalog.pg_stop_backup(exclusive := false, wait_for_archive := "
            + "false)";
        return (await session.Rows(sql, row => (row.GetString(0), row.GetString(1)), cancellationToken))[0];
    }

    private static async ValueTask CopyWal(
        ISnapshotDraft draft, WriteSession session, string directory, string start, string stop,
            CancellationToken cancellationToken)
    {
        // The names are the server's to tell: size of segments and timeline are in them.
        var names = await session.Rows("SELECT name FROM pg_catalog.pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$' "
            + "AND name >= pg_catalog.pg_walfile_name($1::pg_catalog.pg_lsn) AND name <= "
            + "pg_catalog.pg_walfile_name($2::pg_catalog.pg_lsn)",
            row => row.GetString(0), cancellationToken, start, stop);
        var last = await session.Value<string>("SELECT pg_catalog.pg_walfile_name($1::pg_catalog.pg_lsn)", cancellationToken,
            stop);
        if (!names.Contains(last!))
            throw new HealingException($"{Why}: the WAL segment {last} that ends it is not in pg_wal.", mayPass: false);
        foreach (var name in names)
            if (!await draft.Copy(Path.Combine(directory, "pg_wal", name), $"{SnapshotLayout.Data}/pg_wal/{name}", null,
                cancellationToken))
                throw new HealingException($"{Why}: the WAL segment {name} went away although a slot holds it.", mayPass: false);
        foreach (var history in Directory.EnumerateFiles(Path.Combine(directory, "pg_wal"), "*.history"))
            await draft.Copy(history, $"{SnapshotLayout.Data}/pg_wal/{Path.GetFileName(history)}", null, cancellationToken);
    }

    /// <summary>Where the distribution keeps them elsewhere: a person who restores will want them.</summary>
    private static async ValueTask CopyConfiguration(
        ISnapshotDraft draft, WriteSession session, string directory, CancellationToken cancellationToken)
    {
        var paths = await session.Rows(
            "SELECT setting FROM pg_catalog.pg_settings WHERE name IN ('config_file', 'hba_file', 'ident_file') AND setting <> "
                + "''",
            row => row.GetString(0), cancellationToken);
        foreach (var path in paths.Where(path => !path.StartsWith(directory + "/", StringComparison.Ordinal)))
            await draft.Copy(path, $"{SnapshotLayout.Configuration}/{Path.GetFileName(path)}", null, cancellationToken);
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> Text(string text)
    {
        await Task.CompletedTask;
        yield return System.Text.Encoding.UTF8.GetBytes(text);
    }
}
