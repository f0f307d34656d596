namespace Kintsugi.Postgres.Checks;

/// <summary>
/// Indexes left invalid, not ready or half dropped by a failed concurrent build (pg_index; REINDEX, "Rebuilding Indexes Concurrently").
/// They cost every write and serve no query. An index that is being built at this moment is none; an invalid partitioned parent is legal.
/// </summary>
public sealed class IndexStateCheck : ICheck
{
    public string Id => "index-state";
    public string Proves => "no index was left invalid by a failed build";
    public Layer Layer => Layer.Index;
    public Depth Depth => Depth.Quick;
    public IReadOnlyList<FaultClass> Finds => [Faults.IndexInvalid];
    public Needs Needs { get; } = new();

    public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<Portion>>([.. patient.Relations.Relations
            .Where(relation => relation.Index is not null)
            .Select(index => Eligible.Portion(index, patient) with { Weight = 0, StandsOn = [], Settled = Settle(index, patient) })]);

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        // The inventory is a moment old: a build may have begun or ended since.
        var now = await patient.Session.Rows("""
            SELECT i.indisvalid, i.indisready, i.indislive,
                   EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p WHERE p.relid = i.indrelid)
            FROM pg_catalog.pg_index i WHERE i.indexrelid = $1
            """, row => (Valid: row.GetBoolean(0), Ready: row.GetBoolean(1), Live: row.GetBoolean(2), Building: row.GetBoolean(3)),
            cancellationToken, portion.Relation!.Oid);
        if (now.Count == 0)
            return new Verdict.NotApplicable("dropped meanwhile");
        var state = now[0];
        if (state is { Valid: true, Ready: true, Live: true })
            return Verdict.Sound.Instance;
        if (state.Building)
            return new Verdict.NotApplicable("it is being built at this moment");
        var index = portion.Relation;
        var words = string.Join(", ", new[] { state.Valid ? null : "not valid", state.Ready ? null : "not ready", state.Live ? null : "half dropped" }
            .Where(word => word is not null));
        return new Verdict.Damaged(new Finding(Faults.IndexInvalid, portion.Target, $"expected a valid index, but it is {words}; no build is running")
        {
            Hint = Leftover.Of(index.Name) is { } debris
                ? $"its name says that it was left by a {debris}; kintsugi heal drops it when a valid index of the same definition stands beside it"
                : index.Index!.HasValidTwin
                    ? "a valid index of the same definition stands beside it: drop it"
                    : "rebuild it when it is wanted (REINDEX), drop it when it is not: the failed build's error says why it failed",
            Facts = new Dictionary<string, string>
            {
                ["twin"] = index.Index!.HasValidTwin ? "true" : "false",
                ["unique"] = index.Index.Unique ? "true" : "false",
                ["live"] = state.Live ? "true" : "false",
            },
        });
    }

    private static Verdict? Settle(Relation index, Patient patient) =>
        Eligible.Settle(index, patient)
        ?? (index.Kind == 'I' && !index.Index!.Valid ? new Verdict.NotApplicable("a partitioned index may be invalid until every partition has its own")
            : index.Index is { Valid: true, Ready: true, Live: true } ? Verdict.Sound.Instance
            : index.Index!.Building ? new Verdict.NotApplicable("it is being built at this moment") : null);
}
