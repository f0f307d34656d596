using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Files.Reading;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Keys;

/// <summary>
/// The keys in indexes of the other access methods against the values in the rows, which no tool of the server compares. Hash codes are computed
/// again and held against the raw pages, with the bucket they stand in; rows are held against the summaries of their BRIN ranges; and rows ask
/// their GIN, GiST and SP-GiST indexes for themselves. Before any search the raw structure is proven: a search in a damaged tree can spin beyond
/// cancellation. Btree keys are amcheck's (heapallindexed).
/// </summary>
public sealed class IndexKeysCheck(TimeProvider clock) : ICheck
{
    public string Id => "index-keys";
    public string Proves => "hash, BRIN, GIN, GiST and SP-GiST indexes find each row under its own value (at depth standard: a fixed sample of rows)";
    public Layer Layer => Layer.Index;
    public Depth Depth => Depth.Standard;
    public bool RestsOnPages => true;
    public IReadOnlyList<FaultClass> Finds { get; } = [Faults.IndexCorrupt];
    public Needs Needs { get; } = new();

    public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<Portion>>([.. patient.Relations.Relations
            .Where(relation => relation is { Kind: 'i', Index: not null, AccessMethod: "hash" or "brin" or "gin" or "gist" or "spgist" })
            .Select(index => Eligible.Portion(index, patient) is var portion && index.Index is { Valid: true, Ready: true, Live: true }
                ? portion
                : portion with { Settled = portion.Settled ?? new Verdict.NotApplicable("not valid or not ready: see index-state") })]);

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        var index = portion.Relation!;
        if (patient.Relations.Find(index.HeapOid) is not { } table)
            return new Verdict.Unchecked("its table is not in the catalog");
        using var bytes = await ByteSource.Of(patient, cancellationToken);
        var buffers = BufferView.Of(patient);
        try
        {
            if (await IndexKey.Read(index, patient, cancellationToken) is not { } key || await Locate(index, patient, cancellationToken) is not { } place)
                return new Verdict.NotApplicable("dropped meanwhile");
            IPageView[] views = [.. bytes is null ? [] : new IPageView[] { new FileView(bytes, patient, clock) },
                .. buffers is null ? [] : new IPageView[] { buffers }];
            if (views.Length == 0)
                return new Verdict.Unchecked("its pages cannot be read, and without that no search in it is safe: run on the server's machine as "
                    + "the owner of the data directory, or connect as a superuser with pageinspect installed");
            var (view, flaw) = await Prove(views, place, patient, cancellationToken);
            if (view is null)
                return new Verdict.Unchecked($"no search in it is safe, for one could spin for ever: {flaw} (see index-entries; pages that are new "
                    + "reach the disk with the next checkpoint)");
            return index.AccessMethod switch
            {
                "hash" => await Hash(view, place, table, key, portion, patient, cancellationToken),
                "brin" => buffers is null
                    ? new Verdict.Unchecked("its summaries are read with pageinspect as a superuser: CREATE EXTENSION pageinspect and connect as one")
                    : await new BrinSummaries(buffers, place, table, key, portion, patient).Run(cancellationToken),
                _ => await new SelfProbe(index, table, key, portion, patient).Run(cancellationToken),
            };
        }
        catch (IOException failed)
        {
            return new Verdict.Unchecked($"its files could not be read: {failed.Message}");
        }
        catch (PatientException problem) when (SqlStates.IsGone(problem.SqlState))
        {
            return new Verdict.NotApplicable("dropped meanwhile");
        }
    }

    /// <summary>
    /// The codes first; then rows ask for themselves. Only that sees a missing entry of a row younger than the last checkpoint, or of an unlogged
    /// table, whose pages cannot be held against each other. Where the planner takes another index, the codes and index-entries stand alone.
    /// </summary>
    private static async ValueTask<Verdict> Hash(
        IPageView view, Located place, Relation table, IndexKey key, Portion portion, Patient patient, CancellationToken cancellationToken) =>
        await new HashKeys(view, place, table, key, portion, patient).Run(cancellationToken) is var codes && codes is not Verdict.Sound ? codes
            : await new SelfProbe(place.Relation, table, key, portion, patient).Run(cancellationToken) is Verdict.Damaged lost ? lost
            : codes;

    /// <summary>An index that was just built is whole in shared buffers and not yet on disk: the first view that shows it whole counts.</summary>
    private static async ValueTask<(IPageView? View, string? Flaw)> Prove(
        IReadOnlyList<IPageView> views, Located place, Patient patient, CancellationToken cancellationToken)
    {
        string? flaw = null;
        foreach (var view in views)
        {
            try
            {
                flaw = await StructureProof.Look(view, place, patient.Can.DataChecksums != false, cancellationToken);
            }
            catch (PatientException problem) when (SqlStates.MeansDamage(problem))
            {
                flaw = problem.Message;
            }
            if (flaw is null)
                return (view, null);
        }
        return (null, flaw);
    }

    private static async ValueTask<Located?> Locate(Relation index, Patient patient, CancellationToken cancellationToken) =>
        await patient.Session.Rows("SELECT pg_catalog.pg_relation_filepath($1::pg_catalog.regclass)",
            row => row.IsDBNull(0) ? null : row.GetString(0), cancellationToken, index.Oid) is [{ } path] ? new Located(index, path) : null;

    internal static Verdict Accuse(Relation index, Target target, string evidence, long? rows, string? sqlState = null) =>
        new Verdict.Damaged(new Finding(Faults.IndexCorrupt, target, evidence)
        {
            Rows = rows,
            SqlState = sqlState,
            Hint = "kintsugi heal rebuilds it from its table, after the table itself has been proven",
            Facts = new Dictionary<string, string>
            {
                ["access_method"] = index.AccessMethod,
                ["unique"] = index.Index!.Unique ? "true" : "false",
            },
        });
}
