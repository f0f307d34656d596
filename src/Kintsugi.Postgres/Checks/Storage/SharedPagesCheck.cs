using Kintsugi.Postgres.Files.Reading;

namespace Kintsugi.Postgres.Checks.Storage;

/// <summary>The same as <see cref="PagesCheck"/> for the relations that all databases share, once for the server.</summary>
public sealed class SharedPagesCheck(TimeProvider clock) : IBatchCheck
{
    public string Id => "shared-pages";
    public string Proves => "every page of the shared catalogs is on disk as it was written, and where it belongs";
    public Layer Layer => Layer.Storage;
    public Depth Depth => Depth.Standard;
    public Scope Scope => Scope.Server;
    public IReadOnlyList<FaultClass> Finds { get; } =
        [Faults.PageChecksum, Faults.PageInvalid, Faults.PageStale, Faults.FileMissing, Faults.FileTruncated, Faults.VisibilityMapCorrupt];
    public Needs Needs { get; } = new() { Sql = false };

    public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken) =>
        RelationPages.Divide(patient, null,
            (patient.Inventory?.Relations ?? []).Where(relation => relation.HasStorage && relation.IsShared), cancellationToken);

    public ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken) =>
        RelationPages.Examine(portion, patient, clock, cancellationToken);

    public ValueTask<IReadOnlyCollection<Portion>> Acquit(
        IReadOnlyList<Portion> portions, Patient patient, CancellationToken cancellationToken) =>
        RelationPages.Acquit(portions, patient, clock, cancellationToken);
}
