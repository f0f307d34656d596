using Kintsugi.Pages;
using Kintsugi.Pages.Files;
using Kintsugi.Postgres.Checks.Storage.Cluster;
using Kintsugi.Postgres.Files.Offline;

namespace Kintsugi.Postgres.Checks.Storage;

/// <summary>
/// The files that all databases stand on and no checksum covers: control file, PG_VERSION, relation maps, commit log and
/// multixacts, the WAL that the next start needs, tablespace links. With a server or without one, and for one that does not
/// start: each finding says what would bring it up.
/// </summary>
public sealed class ClusterFilesCheck(TimeProvider clock) : ICheck
{
    /// <summary>The server replaces these files while we read: only what is wrong each time is wrong.</summary>
    private const int Looks = 4;

    public string Id => "cluster-files";
    public string Proves => "the files that the server needs to start and to enter a database are whole";
    public Layer Layer => Layer.Storage;
    public Depth Depth => Depth.Quick;
    public Scope Scope => Scope.Server;
    public IReadOnlyList<FaultClass> Finds { get; } = [Faults.ClusterFileCorrupt, Faults.TransactionStatusMissing];
    public Needs Needs { get; } = new() { Sql = false, Files = true };

    public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<Portion>>([new Portion(ServerOf(patient))]);

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        var guilty = await Look(patient, cancellationToken);
        for (var look = 1; guilty.Count > 0 && patient.IsLive && look < Looks; look++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100 * look), clock, cancellationToken);
            var again = (await Look(patient, cancellationToken)).Select(finding => finding.Id).ToHashSet();
            guilty = [.. guilty.Where(finding => again.Contains(finding.Id))];
        }
        return Verdict.From(guilty);
    }

    private static Target ServerOf(Patient patient) => new() { Server = patient.Can.SystemIdentifier, Kind = TargetKind.Server };

    private static async ValueTask<IReadOnlyList<Finding>> Look(Patient patient, CancellationToken cancellationToken)
    {
        var bytes = new byte[ControlFile.FileSize + 1];
        var read = await patient.Files!.Read(ControlFileExam.File, 0, bytes, cancellationToken);
        var control = ControlFile.Read(bytes.AsSpan(0, read), new List<Flaw>());
        var facts = await Ask(patient, cancellationToken);
        var view = new ClusterView(patient, ServerOf(patient), control, bytes[..read], facts.Databases);
        ControlFileExam.Look(view);
        await DatabaseFilesExam.Look(view, cancellationToken);
        await TransactionFilesExam.Look(view, facts.OldestXid ?? control?.OldestXid ?? 0, facts.OldestMulti
            ?? control?.OldestMulti ?? 0, cancellationToken);
        WalExam.Look(view);
        TablespaceExam.Look(view, facts.Tablespaces);
        DirectoriesExam.Look(view);
        LockFileExam.Look(view);
        return view.Findings;
    }

    private sealed record CatalogFacts(
        IReadOnlyList<DatabaseFacts> Databases, IReadOnlyList<(uint Oid, string Name)> Tablespaces, uint? OldestXid, uint? OldestMulti);

    /// <summary>
    /// After a clean stop the rows of pg_database are on disk, and beside a running server too: CREATE and DROP DATABASE end in a checkpoint
    /// (src/backend/commands/dbcommands.c). After a crash some may still be in the WAL alone.
    /// </summary>
    private static async ValueTask<CatalogFacts> FromFiles(Patient patient, CancellationToken cancellationToken)
    {
        if (patient.Files?.Directory is not { } path || DataDirectory.Open(path) is not { } directory
            || !(directory.IsShutDown || patient.IsLive))
            return new CatalogFacts([], [], null, null);
        var catalog = new RawCatalog(directory);
        IReadOnlyList<DatabaseFacts> databases = [.. (await catalog.Databases(cancellationToken))
            .Select(database => new DatabaseFacts(database.Oid, database.Name, catalog.Home(database.Tablespace, database)))];
        return new CatalogFacts(databases, await catalog.Tablespaces(cancellationToken), null, null);
    }

    /// <summary>A running server truncates its logs ahead of the control file: its catalog knows the oldest ids better.</summary>
    private static async ValueTask<CatalogFacts> Ask(Patient patient, CancellationToken cancellationToken)
    {
        if (patient.Sql is not { } session)
            return await FromFiles(patient, cancellationToken);
        var rows = await session.Rows("""
            SELECT d.oid, d.datname::pg_catalog.text, d.dattablespace, d.datfrozenxid::pg_catalog.text::pg_catalog.int8,
                   d.datminmxid::pg_catalog.text::pg_catalog.int8
            FROM pg_catalog.pg_database d WHERE d.datconnlimit <> -2
            """, row => (Oid: row.GetFieldValue<uint>(0), Name: row.GetString(1), Tablespace: row.GetFieldValue<uint>(2),
                Frozen: (uint)row.GetInt64(3), Multi: (uint)row.GetInt64(4)), cancellationToken);
        var databases = new List<DatabaseFacts>();
        foreach (var row in rows)
        {
            if (row.Tablespace == 1663)
                databases.Add(new DatabaseFacts(row.Oid, row.Name, $"base/{row.Oid}"));
            else if (patient.Files!.List($"pg_tblspc/{row.Tablespace}").FirstOrDefault(entry =>
                entry.StartsWith($"PG_{patient.Can.Major}_", StringComparison.Ordinal)) is { } version)
                databases.Add(new DatabaseFacts(row.Oid, row.Name, $"pg_tblspc/{row.Tablespace}/{version}{row.Oid}"));
        }
        var tablespaces = await session.Rows("SELECT t.oid, t.spcname::pg_catalog.text FROM pg_catalog.pg_tablespace t WHERE t.oid NOT IN (1663, 1664)",
            row => (row.GetFieldValue<uint>(0), row.GetString(1)), cancellationToken);
        return new CatalogFacts(databases, tablespaces,
            rows.Select(row => row.Frozen).Aggregate((a, b) => TransactionIds.Precedes(b, a) ? b : a),
            rows.Select(row => row.Multi).Aggregate((a, b) => TransactionIds.MultiPrecedes(b, a) ? b : a));
    }
}
