using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks;

/// <summary>
/// Every btree index against itself and its heap, by amcheck: item order, sibling links and high keys; from depth standard that every
/// heap tuple has its entry (heapallindexed: without it a missing entry is not seen); at depth deep also parents,
/// downlinks and that every entry is found again from the root, under a SHARE lock that is not waited for.
/// </summary>
public sealed class BTreeCheck : IBatchCheck
{
    public string Id => "btree";
    public string Proves => "every btree index is in order and has an entry for every row";
    public Layer Layer => Layer.Index;
    public Depth Depth => Depth.Quick;
    public bool RestsOnPages => true;
    public IReadOnlyList<FaultClass> Finds => [Faults.IndexCorrupt];
    public Needs Needs { get; } = new()
    {
        Extension = "amcheck",
        AnyFunction = ["bt_index_check(regclass,boolean)", "bt_index_check(regclass,boolean,boolean)"],
    };

    public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken)
    {
        var btrees = patient.Relations.Relations.Where(relation => relation is { Kind: 'i', AccessMethod: "btree", Index: not null });
        // Quick looks at what most of the rest rests on: primary keys of tables, and the system catalogs' own indexes.
        if (depth == Depth.Quick)
            btrees = btrees.Where(index => index.Index!.Primary || index.IsCatalog);
        return ValueTask.FromResult<IReadOnlyList<Portion>>([.. btrees.Select(index => Portion(index, patient))]);
    }

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        var index = portion.Relation!;
        var target = portion.Target;
        if (portion.Depth == Depth.Deep && !patient.Can.InRecovery && ParentCheck(patient.Can) is { } parent)
        {
            var deep = await Call(parent, index, target, patient, cancellationToken);
            // The lock was not had: the check that needs none still says most of it. So it does where the parents' accusation does not count.
            if (deep is not Verdict.Unchecked { Reason: var reason })
                return deep;
            if (!reason.StartsWith(LockNotHad, StringComparison.Ordinal))
                return await Call(PlainCheck(patient.Can, portion.Depth, "$1"), index, target, patient, cancellationToken) is Verdict.Damaged plain ? plain : deep;
        }
        return await Call(PlainCheck(patient.Can, portion.Depth, "$1"), index, target, patient, cancellationToken);
    }

    /// <summary>Not at depth deep: a lock that cannot be had is then told index by index.</summary>
    public async ValueTask<IReadOnlyCollection<Portion>> Acquit(
        IReadOnlyList<Portion> portions, Patient patient, CancellationToken cancellationToken)
    {
        if (portions is [] or [{ Depth: Depth.Deep }, ..])
            return [];
        var small = (await Small.Of(portions, patient, cancellationToken)).Select(one => one.Portion).ToList();
        await patient.Session.Rows($"SELECT {PlainCheck(patient.Can, portions[0].Depth, "o")} FROM pg_catalog.unnest($1) o", _ => 0,
            cancellationToken, [small.Select(portion => portion.Relation!.Oid).ToArray()]);
        return small;
    }

    /// <summary>What is wrong with the order and the links of an index by itself, whatever its table holds; null where nothing is.</summary>
    public static async ValueTask<string?> Disorder(Relation index, Patient patient, CancellationToken cancellationToken) =>
        new BTreeCheck().Needs.LackIn(patient) is { } lack ? lack.Reason
        : await Call(PlainCheck(patient.Can, Depth.Quick, "$1"), index, index.ToTarget(patient.Can.SystemIdentifier, patient.Relations.Database), patient,
            cancellationToken) switch
        {
            Verdict.Damaged damaged => damaged.Findings[0].Evidence,
            Verdict.Sound => null,
            var other => other.Why,
        };

    private const string LockNotHad = "the lock was not had";

    private static Portion Portion(Relation index, Patient patient)
    {
        var portion = Eligible.Portion(index, patient);
        return index.Index is { Valid: true, Ready: true, Live: true }
            ? portion
            : portion with { Settled = portion.Settled ?? new Verdict.NotApplicable("not valid or not ready: see index-state") };
    }

    private static string PlainCheck(Capabilities can, Depth depth, string index)
    {
        var all = depth == Depth.Quick ? "false" : "true";
        return can.Function("amcheck", "bt_index_check(regclass,boolean,boolean)") is { } unique
            ? $"{unique}({index}::pg_catalog.regclass, {all}, {all})"
            : $"{can.Function("amcheck", "bt_index_check(regclass,boolean)")}({index}::pg_catalog.regclass, {all})";
    }

    private static string? ParentCheck(Capabilities can) =>
        can.Function("amcheck", "bt_index_parent_check(regclass,boolean,boolean,boolean)") is { } unique
            ? $"{unique}($1::pg_catalog.regclass, true, true, true)"
            : can.Function("amcheck", "bt_index_parent_check(regclass,boolean,boolean)") is { } parent
                ? $"{parent}($1::pg_catalog.regclass, true, true)"
                : null;

    private static async ValueTask<Verdict> Call(
        string call, Relation index, Target target, Patient patient, CancellationToken cancellationToken)
    {
        try
        {
            await patient.Session.Rows($"SELECT {call}", _ => 0, cancellationToken, index.Oid);
            return Verdict.Sound.Instance;
        }
        catch (PatientException problem) when (SqlStates.IsGone(problem.SqlState))
        {
            return new Verdict.NotApplicable("dropped meanwhile");
        }
        catch (PatientException problem) when (problem.SqlState == SqlStates.LockNotAvailable)
        {
            return new Verdict.Unchecked($"{LockNotHad} within the limit: another session holds a conflicting one; run it again later");
        }
        catch (PatientException problem) when (SqlStates.MeansDamage(problem))
        {
            return await Dropped.Is(index, patient, cancellationToken) ? Dropped.Meanwhile
                : await Judge(problem, index, target, patient, cancellationToken);
        }
    }

    private static async ValueTask<Verdict> Judge(
        PatientException problem, Relation index, Target target, Patient patient, CancellationToken cancellationToken)
    {
        if (KnownFalseAlarms.Explain(problem.Message, patient.Can.VersionNumber) is { } why && await InterruptedPages.MayBeIn(index, patient, cancellationToken))
            return new Verdict.Unchecked(why);
        return new Verdict.Damaged(new Finding(Faults.IndexCorrupt, target, Evidence(problem))
        {
            SqlState = problem.SqlState,
            Hint = "kintsugi heal rebuilds it from its table, after the table itself has been proven",
            Facts = new Dictionary<string, string> { ["access_method"] = "btree", ["unique"] = index.Index!.Unique ? "true" : "false" },
        });
    }

    private static string Evidence(PatientException problem) =>
        problem.Detail is null ? problem.Message : $"{problem.Message} ({problem.Detail.ReplaceLineEndings(" ")})";
}
