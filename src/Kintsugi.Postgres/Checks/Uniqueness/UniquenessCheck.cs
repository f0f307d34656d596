using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Uniqueness;

/// <summary>
/// Duplicates under every unique index, primary key and exclusion constraint, read from the heap alone: while an index lied
/// (damage, another
/// collation, a bug) it let in rows that no lookup through it shows.
/// </summary>
/// <remarks>
/// A grouped scan costs about what verify_heapam costs on the same table, so it runs at depth standard on every table; the
/// statement's time
/// limit bounds it, and what that cuts off is Unchecked. amcheck's checkunique (17 and later) asks the index and not the heap: it
/// does not stand in.
/// </remarks>
public sealed class UniquenessCheck : IBatchCheck
{
    private const string HeapAlone =
        "SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off";

    public string Id => "uniqueness";
    public string Proves => "no two rows share a key that must be unique, by the heap alone";
    public Layer Layer => Layer.Uniqueness;
    public Depth Depth => Depth.Standard;
    public bool RestsOnPages => true;
    public IReadOnlyList<FaultClass> Finds => [Faults.UniqueViolated];
    public Needs Needs { get; } = new();

    private sealed record Group(long Surplus, string Key, string? Places);

    public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<Portion>>([.. patient.Relations.Relations
            .Where(index => index is { Kind: 'i', IsCatalog: false, Index: { } facts } && (facts.Unique || facts.Exclusion))
            .Where(index => depth == Depth.Deep || patient.Relations.Find(index.HeapOid) is not { IsToast: true })
            .Select(index => Eligible.Portion(index, patient) with
            {
                Weight = patient.Relations.Find(index.HeapOid)?.Pages ?? index.Pages,
                // Values out of line are read through the TOAST table's own index.
                StandsOn = patient.Relations.Find(index.HeapOid) is { } heap ? [heap.Oid, heap.ToastOid] : [],
                Settled = Eligible.Settle(index, patient)
                    ?? (index.Index is { Valid: true, Ready: true } ? null
                        : new Verdict.NotApplicable("not valid or not ready: see index-state")),
            })]);

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        var index = portion.Relation!;
        if (patient.Relations.Find(index.HeapOid) is not { } heap)
            return new Verdict.Unchecked("the table of this index is not in pg_class: see catalog");
        try
        {
            if (await UniqueKey.Read(index, patient.Session, cancellationToken) is not { } key)
                return new Verdict.NotApplicable("dropped meanwhile");
            var nulls = index.Index!.NullsNotDistinct;
            var sql = DuplicateSql.Of(key, heap, nulls, small: false);
            if (sql is null && await IsSmall(heap, patient, cancellationToken))
                sql = DuplicateSql.Of(key, heap, nulls, small: true);
            if (sql is null)
                return new Verdict.Unchecked($"the table has more than {DuplicateSql.MaxRowsForPairs} rows, and the operators "
                    + $"of this constraint "
                    + "can be neither sorted nor hashed: every pair would have to be compared");
            var groups = await Ask(sql, patient, cancellationToken);
            if (groups.Count == 0)
                return Verdict.Sound.Instance;
            // A second look under a fresh snapshot, which also says where the rows are.
            groups = await Ask(groups[0].Places is null ? DuplicateSql.Places(key, heap, nulls) : sql, patient,
                cancellationToken);
            return groups.Count == 0 ? Verdict.Sound.Instance : new Verdict.Damaged(ToFinding(groups, key, index, heap,
                portion.Target));
        }
        catch (PatientException problem) when (SqlStates.IsGone(problem.SqlState))
        {
            return new Verdict.NotApplicable("dropped meanwhile");
        }
    }

    public async ValueTask<IReadOnlyCollection<Portion>> Acquit(
        IReadOnlyList<Portion> portions, Patient patient, CancellationToken cancellationToken)
    {
        var small = (await Small.Of(portions, patient, cancellationToken)).Select(one => one.Portion).ToList();
        var keys = await UniqueKey.Read([.. small.Select(portion => portion.Relation!.Oid)], patient.Session, cancellationToken);
        var asked = small.Select(portion => (Portion: portion, Sql: Question(portion.Relation!, keys, patient)))
            .Where(one => one.Sql is not null).ToList();
        var acquitted = new List<Portion>();
        foreach (var few in asked.Chunk(TablesPerStatement))
        {
            var accused = await patient.Session.InTransaction(HeapAlone, session => session.Rows(
                Small.AnyOf(few.Select(one => one.Sql!)), row => row.GetInt32(0), cancellationToken), cancellationToken);
            acquitted.AddRange(few.Where((_, i) => !accused.Contains(i)).Select(one => one.Portion));
        }
        return acquitted;
    }

    /// <summary>Each holds a lock until the statement ends; they are few beside max_locks_per_transaction.</summary>
    private const int TablesPerStatement = 25;

    private static string? Question(Relation index, IReadOnlyDictionary<uint, UniqueKey> keys, Patient patient) =>
        keys.TryGetValue(index.Oid, out var key) && patient.Relations.Find(index.HeapOid) is { } heap
            ? DuplicateSql.Of(key, heap, index.Index!.NullsNotDistinct, small: false) : null;

    private static async ValueTask<bool> IsSmall(Relation heap, Patient patient, CancellationToken cancellationToken) =>
        (await patient.Session.Rows($"SELECT 1 FROM ONLY {Quote.Name(heap)} OFFSET {DuplicateSql.MaxRowsForPairs} LIMIT 1",
            _ => 0, cancellationToken)).Count == 0;

    private static ValueTask<IReadOnlyList<Group>> Ask(string sql, Patient patient, CancellationToken cancellationToken) =>
        patient.Session.InTransaction(HeapAlone, session => session.Rows(sql,
            row => new Group(row.GetInt64(0), row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2)), cancellationToken),
                cancellationToken);

    private static Finding ToFinding(IReadOnlyList<Group> groups, UniqueKey key, Relation index, Relation heap, Target target)
    {
        var columns = string.Join(", ", key.Columns.Select(column => column.Name));
        var kind = index.Index!.Exclusion ? "exclusion constraint" : index.Index.Primary ? "primary key" : "unique index";
        return new Finding(Faults.UniqueViolated, target, $"expected at most one row for each ({columns}) under {kind} "
            + $"{index.Name}, "
            + $"but the heap of {heap.Name} has {groups[0].Surplus} more; the first key is {groups[0].Key} at {groups[0].Places}")
        {
            Rows = groups[0].Surplus,
            Samples = [.. groups.Select(group => group.Key)],
            Key = groups.Count == 1 ? groups[0].Key : null,
            Hint = "decide which row of each key stays (consistency: unique: keep), then the index is rebuilt; nothing is "
                + "deleted without consent",
            Facts = new Dictionary<string, string>
            {
                ["kind"] = kind,
                ["columns"] = columns,
                ["groups"] = string.Join(' ', groups.Select(group => group.Places)),
                ["predicate"] = key.Predicate ?? "",
            },
        };
    }
}
