using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Maps;

/// <summary>
/// Empties the visibility map, after which every answer is right at once, and lets VACUUM fill it again (pg_visibility,
/// "pg_truncate_visibility_map"). Nothing of the table is rewritten, as VACUUM FULL would.
/// </summary>
public sealed class RebuildVisibilityMapRepair : IRepair
{
    private const string Truncate = "pg_truncate_visibility_map(regclass)";

    public const string Name = "rebuild-visibility-map";

    public string Id => Name;
    public string Does => "empties the visibility map and lets VACUUM fill it again";
    public IReadOnlyList<FaultClass> Mends => [Faults.VisibilityMapCorrupt, Faults.PageChecksum, Faults.PageInvalid, Faults.PageStale];
    public Grade Grade => Grade.Lossless;

    public ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (MapGround.Of(healing, patient, "vm", Faults.VisibilityMapCorrupt) is not { HasHeap: true } relation)
            return Refuse($"{healing.Target.Name}: not the visibility map of a table");
        if (MapGround.Obstacle(healing) is { } obstacle)
            return Refuse(obstacle);
        var truncate = patient.Can.Has("pg_visibility") && !patient.Can.Extensions["pg_visibility"].Borrowed
            ? patient.Can.Function("pg_visibility", Truncate) : null;
        var vacuum = MapGround.Vacuum(relation);
        var step = new Step(RebuildVisibilityMapStep.Name,
            truncate is null ? vacuum : $"{truncate}({Quote.Literal(Quote.Name(relation))}); {vacuum}")
        {
            Database = healing.Database,
            Lock = truncate is null ? "ShareUpdateExclusive" : "AccessExclusive",
            Why = truncate is null
                ? "VACUUM looks at every page and clears the bits that lie; until it reaches a page, index-only scans may still be wrong"
                : "a map without bits is always right; the lock is held for milliseconds, and not waited for longer than 2 seconds",
            Arguments = new Dictionary<string, string>
            {
                ["relation"] = Quote.Name(relation),
                ["vacuum"] = vacuum,
                ["truncate"] = truncate ?? "",
            },
        };
        return ValueTask.FromResult<Proposal>(new Proposal.Planned(
            MapGround.Plan(Id, healing, [step, MapGround.Checkpoint(healing)]) with
            {
                Warnings = ["While the map lied, index-only scans may have returned deleted rows, and pages may have been left unfrozen."],
            }));
    }

    private static ValueTask<Proposal> Refuse(string reason) => ValueTask.FromResult<Proposal>(new Proposal.Refused(reason));
}
