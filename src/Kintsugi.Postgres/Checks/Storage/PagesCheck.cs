using Kintsugi.Postgres.Files.Reading;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Storage;

/// <summary>
/// Every page of every relation of a database, read from the files and not through shared buffers: checksum, header, whether it
/// is a page of this kind of file and of this block, LSN against the WAL; and whether the files can be all of the relation. All
/// forks, all segments, all tablespaces; with the server running or without one. Nothing is read through the server where the
/// page on disk is suspicious.
/// </summary>
public sealed class PagesCheck(TimeProvider clock) : IBatchCheck
{
    public string Id => "pages";
    public string Proves => "every page of every relation is on disk as it was written, and where it belongs";
    public Layer Layer => Layer.Storage;
    public Depth Depth => Depth.Standard;
    public IReadOnlyList<FaultClass> Finds { get; } =
        [Faults.PageChecksum, Faults.PageInvalid, Faults.PageStale, Faults.FileMissing, Faults.FileTruncated, Faults.VisibilityMapCorrupt];
    public Needs Needs { get; } = new() { Sql = false };

    public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken) =>
        RelationPages.Divide(patient, patient.Relations.Database,
            patient.Relations.Relations.Where(relation => relation.HasStorage && !relation.IsShared), cancellationToken);

    public ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken) =>
        RelationPages.Examine(portion, patient, clock, cancellationToken);

    public ValueTask<IReadOnlyCollection<Portion>> Acquit(
        IReadOnlyList<Portion> portions, Patient patient, CancellationToken cancellationToken) =>
        RelationPages.Acquit(portions, patient, clock, cancellationToken);
}
