using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Snapshots;

/// <summary>
/// Copies what a plan alters before it is altered: definitions, relation files of all forks, or the whole cluster.
/// </summary>
/// <param name="factory">Null for a stopped cluster.</param>
public sealed class SnapshotTaker(ISnapshotShelf shelf, SessionFactory? factory) : ISnapshots
{
    /// <summary>How the whole cluster is copied.</summary>
    public ClusterProvider Provider { get; init; } = new ClusterProvider.Online();
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>A server that is stopped ends every session of ours.</summary>
    public bool EndsSessions => Provider is ClusterProvider.StopCopyStart;

    private SessionFactory Factory => factory ?? throw new HealingException("a snapshot through the server needs a connection", mayPass: false);

    public async ValueTask<string?> Take(HealingCase healing, Plan plan, Patient patient, CancellationToken cancellationToken)
    {
        // Before-images of rows are written by the repair itself, in its own transaction.
        if (plan.Snapshot == SnapshotGrade.Rows)
            return null;
        return await Take(healing.Id, healing.Cause, plan.Snapshot, plan.Alters, patient, cancellationToken);
    }

    /// <summary>A snapshot that a person asked for (no case), or that a case needs.</summary>
    /// <exception cref="HealingException">No room, no rights, or what is to be copied is not there.</exception>
    public async ValueTask<string> Take(
        string? caseId, string why, SnapshotGrade grade, IReadOnlyList<Target> targets, Patient patient,
            CancellationToken cancellationToken)
    {
        var manifest = new SnapshotManifest
        {
            Case = caseId,
            Why = why,
            Grade = grade,
            Server = patient.Can.SystemIdentifier,
            Version = patient.Can.Version,
            Database = patient.Sql?.Database,
            Timeline = patient.Can.Timeline,
        };
        try
        {
            if (grade == SnapshotGrade.Cluster)
                return await TakeCluster(manifest, patient, cancellationToken);
            var copy = new RelationCopy(shelf, patient);
            if (grade == SnapshotGrade.None)
                return await copy.TakeDefinitions(manifest, targets, cancellationToken);
            var notes = new List<string>();
            if (await Checkpoint(cancellationToken) is { } note)
                notes.Add(note);
            return await copy.Take(manifest with { Notes = notes }, targets, cancellationToken);
        }
        catch (PatientException problem)
        {
            throw new HealingException(
                $"the snapshot could not be taken: "
                    + $"{problem.Message}{(problem.SqlState is { } code ? $" (SQLSTATE {code})" : "")}. "
                + "No snapshot, no repair. Reading files over SQL needs pg_read_server_files and EXECUTE on "
                + "pg_read_binary_file, pg_ls_dir and "
                + "pg_stat_file; kintsugi doctor prints the statements.", mayPass: false, problem);
        }
    }

    private async ValueTask<string> TakeCluster(SnapshotManifest manifest, Patient patient, CancellationToken cancellationToken) => Provider switch
    {
        ClusterProvider.Command command => await new CommandSnapshot(shelf, patient, Clock).Take(manifest, command.Text, cancellationToken),
        _ when patient.Sql is null => await new StoppedClusterCopy(shelf, patient).Take(manifest, cancellationToken),
        ClusterProvider.StopCopyStart stop => await new StopCopyStart(shelf, Factory, patient, Clock).Take(manifest, stop, cancellationToken),
        _ => await new ClusterCopy(shelf, Factory, patient).Take(manifest, cancellationToken),
    };

    /// <summary>Pages that are changed in memory reach the files, so that the copy is of now.</summary>
    /// <returns>What to note when it was not allowed or did not succeed; a copy without it is older, not wrong.</returns>
    private async ValueTask<string?> Checkpoint(CancellationToken cancellationToken)
    {
        await using var session = await Factory.OpenWrite(null, cancellationToken);
        try
        {
            await session.Execute("CHECKPOINT", cancellationToken);
            return null;
        }
        catch (PatientException problem) when (!problem.ConnectionLost)
        {
            return $"without CHECKPOINT ({problem.Message}): the newest changes may be in WAL only, from the LSN of the last "
                + "checkpoint on";
        }
    }
}
