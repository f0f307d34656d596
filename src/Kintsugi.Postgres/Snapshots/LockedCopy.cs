namespace Kintsugi.Postgres.Snapshots;

/// <summary>
/// Copies the files of indexes beside a server that lets nobody in. They may be written meanwhile: the copy is evidence of the damage, and what puts an index
/// back is its table.
/// </summary>
public sealed class LockedCopy(ISnapshotShelf shelf) : ISnapshots
{
    public async ValueTask<string?> Take(HealingCase healing, Plan plan, Patient patient, CancellationToken cancellationToken)
    {
        var directory = patient.Files?.Directory ?? throw new HealingException("the files of the server cannot be reached from here", mayPass: false);
        var relations = plan.Alters.Select(target => patient.Relations.Find(target.ObjectSchema ?? target.Schema, target.Object)).OfType<Relation>().ToList();
        if (relations.Count == 0)
            relations = [.. patient.Relations.Relations.Where(relation => relation is { Kind: 'i', IsCatalog: true })];
        var files = relations.Select(relation => relation.Path).OfType<string>().Distinct().Where(path => patient.Files.Length(path) >= 0).ToList();
        await using var draft = await shelf.Begin(new SnapshotManifest
        {
            Case = healing.Id,
            Why = healing.Cause,
            Grade = SnapshotGrade.Relation,
            Server = patient.Can.SystemIdentifier,
            Version = patient.Can.Version,
            Database = patient.Relations.Database,
            Timeline = patient.Can.Timeline,
            Objects = [.. relations.Select(relation => new SnapshotObject($"{relation.Schema}.{relation.Name}", "i", relation.Path, null))],
            Notes = ["copied beside a server that let nobody in, without CHECKPOINT: evidence, not a source to restore from"],
        }, files.Sum(path => patient.Files.Length(path)), cancellationToken);
        foreach (var path in files)
            await draft.Copy(Path.Combine(directory, path), $"{SnapshotLayout.Data}/{path}", null, cancellationToken);
        await draft.Complete(whole => whole, cancellationToken);
        return draft.Id;
    }
}
