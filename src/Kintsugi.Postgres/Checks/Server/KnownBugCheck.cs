namespace Kintsugi.Postgres.Checks.Server;

/// <summary>Defects of this very server version that can have damaged objects as exist here.</summary>
public sealed class KnownBugCheck : ICheck
{
    private const int MaxNames = 20;

    public string Id => "known-bugs";
    public string Proves => "this server version has no known defect that damages objects as exist here";
    public Layer Layer => Layer.Server;
    public Depth Depth => Depth.Quick;
    public IReadOnlyList<FaultClass> Finds => [Faults.KnownBug];
    public Needs Needs { get; } = new();

    public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<Portion>>([new Portion(Place(patient))]);

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        foreach (var bug in KnownBugs.All.Where(bug => bug.Hits(patient.Can.VersionNumber)))
        {
            var victims = await patient.Session.Rows(bug.Victims, row => row.GetFieldValue<uint>(0), cancellationToken);
            if (victims.Count > 0)
                findings.Add(ToFinding(bug, victims, patient));
        }
        return Verdict.From(findings);
    }

    private static Finding ToFinding(KnownBug bug, IReadOnlyList<uint> victims, Patient patient)
    {
        var names = victims.Select(patient.Relations.Find).OfType<Relation>().Where(relation => !relation.IsCatalog)
            .Select(relation => $"{relation.Schema}.{relation.Name}").ToList();
        var whom = names.Count == 0 ? "" : $"; it can have hit {string.Join(", ", names.Take(MaxNames))}"
            + (names.Count > MaxNames ? $" and {names.Count - MaxNames} more" : "");
        return new Finding(Faults.KnownBug, Place(patient) with { Rule = bug.Id },
            $"PostgreSQL {patient.Can.Version}: {bug.What}{whom}")
        {
            Hint = $"{bug.MendedFor(patient.Can.VersionNumber)} mends it: {bug.Action}",
            Facts = new Dictionary<string, string> { ["objects"] = string.Join('\n', names),
                ["mended_in"] = bug.MendedFor(patient.Can.VersionNumber) },
        };
    }

    private static Target Place(Patient patient) =>
        new() { Server = patient.Can.SystemIdentifier, Database = patient.Relations.Database, Kind = TargetKind.Database };
}
