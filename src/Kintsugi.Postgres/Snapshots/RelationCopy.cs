using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Snapshots;

/// <summary>
/// Copies all forks and segments of relations: from the data directory where it can be reached, else through the server by
/// pg_read_binary_file, which reads the file as it is and never through the buffers.
/// </summary>
internal sealed partial class RelationCopy(ISnapshotShelf shelf, Patient patient)
{
    private const int Piece = 1 << 20;

    /// <summary>A rewrite (VACUUM FULL, REINDEX) in the middle of the copy moves the relation to other files.</summary>
    private const int MostTries = 3;

    /// <summary>
    /// Leaves of a partitioned relation; the relation itself where it is none (pg_partition_tree knows partitions only). By name: a concurrent rebuild by
    /// somebody else has given the name to another OID.
    /// </summary>
    private const string Members = """
        WITH it AS (SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname = $1::pg_catalog.name AND c.relname = $2::pg_catalog.name)
        SELECT c.oid, n.nspname::pg_catalog.text || '.' || c.relname, c.relkind::pg_catalog.text,
            pg_catalog.pg_relation_filepath(c.oid),
               CASE WHEN c.relkind IN ('i', 'I') THEN pg_catalog.pg_get_indexdef(c.oid) END
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid IN (SELECT it.oid FROM it UNION ALL SELECT p.relid FROM it, pg_catalog.pg_partition_tree(it.oid::pg_catalog.regclass) p)
        ORDER BY c.oid
        """;

    private const string Position = """
        SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
                    ELSE pg_catalog.pg_current_wal_insert_lsn() END::pg_catalog.text
        """;

    private readonly IReadSession session = patient.Session;
    private readonly string? directory = patient.Files?.Directory;

    public async ValueTask<string> TakeDefinitions(
        SnapshotManifest manifest, IReadOnlyList<Target> targets, CancellationToken cancellationToken)
    {
        var objects = await Resolve(targets, cancellationToken);
        await using var draft = await shelf.Begin(manifest with { Objects = objects, Lsn = await Now(cancellationToken) }, 0,
            cancellationToken);
        await draft.Complete(whole => whole, cancellationToken);
        return draft.Id;
    }

    public async ValueTask<string> Take(SnapshotManifest manifest, IReadOnlyList<Target> targets,
        CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var objects = await Resolve(targets, cancellationToken);
            var files = await Files(objects, cancellationToken);
            if (files.Count == 0)
                throw new HealingException(
                    "there is no file to copy for " + string.Join(", ", objects.Select(item => item.Name))
                    + ": a repair that alters files needs a snapshot of them; a missing file is a case of its own",
                    mayPass: false);
            var begun = manifest with { Objects = objects, Lsn = await Now(cancellationToken) };
            await using var draft = await shelf.Begin(begun, files.Sum(file => file.Bytes), cancellationToken);
            foreach (var (path, _) in files)
                await Copy(draft, path, cancellationToken);
            if ((await Resolve(targets, cancellationToken)).SequenceEqual(objects))
            {
                await draft.Complete(whole => whole, cancellationToken);
                return draft.Id;
            }
            if (attempt == MostTries)
                throw new HealingException(
                    "what is to be copied was rewritten by somebody else while it was copied, three times in a row; wait for "
                        + "that to end "
                    + "(VACUUM FULL, CLUSTER, REINDEX, ALTER TABLE)", mayPass: false);
        }
    }

    private async ValueTask<IReadOnlyList<SnapshotObject>> Resolve(IReadOnlyList<Target> targets,
        CancellationToken cancellationToken)
    {
        var objects = new List<SnapshotObject>();
        foreach (var target in targets)
        {
            var found = await session.Rows(Members, row => new SnapshotObject(
                row.GetString(1), row.GetString(2), row.IsDBNull(3) ? null : row.GetString(3),
                row.IsDBNull(4) ? null : row.GetString(4)),
                cancellationToken, target.ObjectSchema ?? target.Schema, target.Object ?? target.Relation);
            if (found.Count == 0)
                throw new HealingException($"{target.Name} is not in the catalog (any more): it cannot be copied before it is altered", mayPass: false);
            objects.AddRange(found);
        }
        return [.. objects.Distinct()];
    }

    /// <summary>
    /// The directory is listed rather than counted through: with a segment in the middle missing, those behind it are evidence.
    /// </summary>
    private async ValueTask<IReadOnlyList<(string Path, long Bytes)>> Files(
        IReadOnlyList<SnapshotObject> objects, CancellationToken cancellationToken)
    {
        var found = new List<(string Path, long Bytes)>();
        var paths = objects.Select(item => item.Path).OfType<string>().ToHashSet();
        foreach (var folder in paths.Select(path => path[..path.LastIndexOf('/')]).Distinct())
            foreach (var name in await List(folder, cancellationToken))
                if (FileName().Match(name) is { Success: true } match && paths.Contains($"{folder}/{match.Groups[1].Value}"))
                    found.Add(($"{folder}/{name}", await Length($"{folder}/{name}", cancellationToken)));
        return [.. found.Where(file => file.Bytes >= 0).OrderBy(file => file.Path, StringComparer.Ordinal)];
    }

    private async ValueTask Copy(ISnapshotDraft draft, string path, CancellationToken cancellationToken)
    {
        var name = $"{SnapshotLayout.Data}/{path}";
        var torn = patient.Can.DataChecksums == true ? new TornPages(path, (offset, token) => ReadPage(path, offset, token))
            : null;
        AmendCopy? amend = torn is { Applies: true } ? torn.Amend : null;
        if (directory is not null)
            await draft.Copy(Path.Combine(directory, path), name, amend, cancellationToken);
        else
            await draft.Write(name, Pieces(path, cancellationToken), amend, cancellationToken);
    }

    private async IAsyncEnumerable<ReadOnlyMemory<byte>> Pieces(string path,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var offset = 0L; ; offset += Piece)
        {
            var piece = await Read(path, offset, Piece, cancellationToken);
            if (piece.Length > 0)
                yield return piece;
            if (piece.Length < Piece)
                yield break;
        }
    }

    private async ValueTask<byte[]> Read(string path, long offset, long length, CancellationToken cancellationToken)
    {
        var rows = await session.Rows("SELECT pg_catalog.pg_read_binary_file($1, $2, $3, true)",
            row => row.IsDBNull(0) ? [] : row.GetFieldValue<byte[]>(0), cancellationToken, path, offset, length);
        return rows[0];
    }

    private async ValueTask<ReadOnlyMemory<byte>> ReadPage(string path, long offset, CancellationToken cancellationToken)
    {
        if (patient.Files is not { Directory: not null } files)
            return await Read(path, offset, Pages.PageFormat.Size, cancellationToken);
        var page = new byte[Pages.PageFormat.Size];
        return page.AsMemory(0, await files.Read(path, offset, page, cancellationToken));
    }

    private async ValueTask<IReadOnlyList<string>> List(string folder, CancellationToken cancellationToken) =>
        directory is not null
        ? patient.Files!.List(folder)
        : await session.Rows("SELECT pg_catalog.pg_ls_dir($1, true, false)", row => row.GetString(0), cancellationToken, folder);

    private async ValueTask<long> Length(string path, CancellationToken cancellationToken)
    {
        if (directory is not null)
            return patient.Files!.Length(path);
        var rows = await session.Rows("SELECT (pg_catalog.pg_stat_file($1, true)).size",
            row => row.IsDBNull(0) ? -1 : row.GetInt64(0), cancellationToken, path);
        return rows[0];
    }

    private async ValueTask<string> Now(CancellationToken cancellationToken) =>
        (await session.Rows(Position, row => row.GetString(0), cancellationToken))[0];

    /// <summary>Filenode, fork and segment: 16384, 16384_vm, 16384.1, 16384_fsm.2.</summary>
    [GeneratedRegex(@"^(\d+|t\d+_\d+)(?:_(?:fsm|vm|init))?(?:\.\d+)?$")]
    private static partial Regex FileName();
}
