using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Maps;

/// <summary>
/// Pages of the free space maps, through pageinspect, on servers whose files are out of reach (the check pages reads the files
/// themselves).
/// What the map says of free space may be stale at any time and is no damage; a page that cannot be read is.
/// </summary>
public sealed class FreeSpaceMapCheck : ICheck
{
    public string Id => "free-space-map";
    public string Proves => "every page of every free space map can be read";
    public Layer Layer => Layer.Map;
    public Depth Depth => Depth.Standard;
    public IReadOnlyList<FaultClass> Finds => [Faults.FreeSpaceMapCorrupt];
    public Needs Needs { get; } = new();

    public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken)
    {
        if (patient.Files is not null)
            return ValueTask.FromResult<IReadOnlyList<Portion>>([Whole(patient,
                new Verdict.NotApplicable("its pages are read from the files: see pages"))]);
        if (!patient.Can.Superuser || MapPages.Reader(patient.Can) is null)
            return ValueTask.FromResult<IReadOnlyList<Portion>>([Whole(patient, new Verdict.Unchecked(
                "neither the files nor pageinspect can be used: run on the server's machine, or as a superuser after CREATE "
                    + "EXTENSION pageinspect"))]);
        return ValueTask.FromResult<IReadOnlyList<Portion>>([.. patient.Relations.Relations
            .Where(relation => relation.HasStorage && relation.Kind != 'S')
            .Select(relation => Eligible.Portion(relation, patient) with { StandsOn = [], Weight = relation.Pages / 4000 })]);
    }

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        try
        {
            return Verdict.From(await MapPages.Unreadable(
                portion.Relation!, "fsm", Faults.FreeSpaceMapCorrupt, portion.Target, patient, cancellationToken));
        }
        catch (PatientException problem) when (SqlStates.IsGone(problem.SqlState))
        {
            return new Verdict.NotApplicable("dropped meanwhile");
        }
    }

    private static Portion Whole(Patient patient, Verdict verdict) =>
        new(new Target { Server = patient.Can.SystemIdentifier, Database = patient.Relations.Database,
            Kind = TargetKind.Database }) { Settled = verdict };
}
