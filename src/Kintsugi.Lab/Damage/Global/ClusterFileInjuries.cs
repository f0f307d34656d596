namespace Kintsugi.Lab.Damage;

/// <summary>Damage to a file of the whole cluster, after which the server does not start.</summary>
public abstract class ClusterFileInjury : Injury
{
    private protected ClusterFileInjury(string name, string accident, FaultClass fault, string file)
        : base(name, accident, fault, new InjuryTarget("", file)) => ServerStarts = false;

    public override bool StopsServer => true;

    private protected abstract void Strike(string path);

    protected internal override Task<IReadOnlyList<FileDamage>> Plan(InjuryRoom room, CancellationToken cancellationToken)
    {
        var path = Path.Combine(room.Cluster.DataDirectory, Target.Relation);
        return Task.FromResult<IReadOnlyList<FileDamage>>([new FileDamage($"{Name} in {path}", () => Strike(path))]);
    }

    protected internal override async Task Prove(InjuryRoom room, CancellationToken cancellationToken)
    {
        if (await room.Cluster.TryStart(cancellationToken) is null)
            throw DidNotTake("the server starts as if nothing had happened.");
    }
}

/// <summary>The commit log's current segment is missing.</summary>
public sealed class CommitLogMissing() : ClusterFileInjury(
    "pg-xact-missing", "Somebody freed space in the data directory by hand, taking pg_xact for logs (as pg_clog once was).",
    Faults.TransactionStatusMissing, "pg_xact/0000")
{
    private protected override void Strike(string path) => File.Delete(path);
}

/// <summary>The control file does not match its checksum.</summary>
public sealed class ControlFileDamaged() : ClusterFileInjury(
    "control-file-crc", "A bit rotted in the one file without which no server starts.",
    Faults.ClusterFileCorrupt, "global/pg_control")
{
    private protected override void Strike(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[100] ^= 0x08;
        File.WriteAllBytes(path, bytes);
    }
}

/// <summary>A database's PG_VERSION is missing: nobody can connect to it, others are well.</summary>
public sealed class DatabaseVersionMissing() : FileInjury(
    "pg-version-missing", "Somebody cleaned up by hand, or a file system check lost a small file.",
    Faults.ClusterFileCorrupt, new InjuryTarget("", "PG_VERSION"), "SELECT 1", "")
{
    private protected override async Task<(RelationFile File, Action<RelationFile> Damage)> Aim(
        InjuryRoom room, CancellationToken cancellationToken)
    {
        var oid = await room.Scalar<uint>("SELECT oid FROM pg_database WHERE datname = current_database()", cancellationToken);
        var file = new RelationFile(Path.Combine(room.Cluster.DataDirectory, $"base/{oid}/PG_VERSION"));
        return (file, f => File.Delete(f.Path));
    }
}
