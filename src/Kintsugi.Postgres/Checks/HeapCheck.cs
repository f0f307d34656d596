using System.Globalization;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks;

/// <summary>
/// Every table, materialized view, sequence and TOAST table, tuple by tuple, by amcheck's verify_heapam (14+; sequences 15+): line pointers,
/// tuple headers, transaction ids against the horizons, attribute lengths, out-of-line values, update chains (16+). It is asked block range by
/// block range, so that one unreadable page costs that page and not the relation.
/// </summary>
public sealed class HeapCheck : IBatchCheck
{
    /// <summary>8 MiB of heap at a time: a bad page is then found by halving in at most ten more calls of about a millisecond each.</summary>
    private const long BlocksPerCall = 1024;

    /// <summary>Beyond that a relation is damaged enough; the rest of its findings would only fill the report.</summary>
    private const int MaxFindings = 200;

    public string Id => "heap";
    public string Proves => "every tuple of every table can be read and has a possible history";
    public Layer Layer => Layer.Heap;
    public Depth Depth => Depth.Standard;
    public bool RestsOnPages => true;
    public IReadOnlyList<FaultClass> Finds => [Faults.HeapCorrupt, Faults.ToastCorrupt, Faults.TransactionStatusMissing, Faults.PageChecksum];
    public Needs Needs { get; } = new()
    {
        SinceMajor = 14,
        Extension = "amcheck",
        AnyFunction = ["verify_heapam(regclass,boolean,boolean,text,bigint,bigint)"],
    };

    public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<Portion>>([.. patient.Relations.Relations
            .Where(relation => relation.HasHeap || (relation.Kind == 'S' && patient.Can.Major >= 15))
            .SelectMany(relation => HeapSlices.Of(relation, Eligible.Portion(relation, patient) with
            {
                StandsOn = [],
                Settled = Eligible.Settle(relation, patient)
                    ?? (relation.HasHeap && relation.AccessMethod != "heap"
                        ? new Verdict.NotApplicable($"table access method {relation.AccessMethod} has no check")
                        : null),
            }))]);

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        var relation = portion.Relation!;
        var findings = new List<Finding>();
        try
        {
            var blocks = (await patient.Session.Rows("SELECT pg_catalog.pg_relation_size($1::pg_catalog.regclass, 'main') / 8192",
                row => row.IsDBNull(0) ? 0 : row.GetInt64(0), cancellationToken, relation.Oid))[0];
            var end = Math.Min(blocks, portion.Blocks == long.MaxValue ? blocks : portion.FirstBlock + portion.Blocks);
            for (var block = portion.FirstBlock; block < end && findings.Count < MaxFindings; block += BlocksPerCall)
            {
                var last = Math.Min(block + BlocksPerCall, end) - 1;
                await Range(relation, portion.Target, block, last, patient, findings, cancellationToken);
                await patient.Pace.Spend((last - block + 1) * 8192, cancellationToken);
            }
        }
        catch (PatientException problem) when (SqlStates.IsGone(problem.SqlState))
        {
            return new Verdict.NotApplicable("dropped meanwhile");
        }
        return findings.Count > 0 && await Dropped.Is(relation, patient, cancellationToken) ? Dropped.Meanwhile : Verdict.From(findings);
    }

    public async ValueTask<IReadOnlyCollection<Portion>> Acquit(
        IReadOnlyList<Portion> portions, Patient patient, CancellationToken cancellationToken)
    {
        var function = patient.Can.Function("amcheck", "verify_heapam(regclass,boolean,boolean,text,bigint,bigint)");
        var small = await Small.Of(portions, patient, cancellationToken);
        var filled = small.Where(one => one.Blocks > 0).Select(one => one.Portion.Relation!).ToList();
        await patient.Pace.Spend(small.Sum(one => one.Blocks) * 8192, cancellationToken);
        var accused = filled.Count == 0 ? [] : await patient.Session.Rows(
            $"SELECT r.o FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) r(o, toast) WHERE EXISTS "
            + $"(SELECT FROM {function}(r.o::pg_catalog.regclass, true, r.toast, 'none', NULL, NULL) v)", row => row.GetFieldValue<uint>(0), cancellationToken,
            filled.Select(relation => relation.Oid).ToArray(), filled.Select(HasToast).ToArray());
        return Small.Without(small.Select(one => one.Portion), accused);
    }

    /// <summary>A sequence has no TOAST table, and its one tuple is frozen by design.</summary>
    private static bool HasToast(Relation relation) => relation.ToastOid != 0 && relation.Kind != 'S';

    /// <summary>One call over the range; where it fails, halves of it, down to the block that cannot be read.</summary>
    private static async ValueTask Range(
        Relation relation, Target target, long first, long last, Patient patient, List<Finding> findings, CancellationToken cancellationToken)
    {
        var function = patient.Can.Function("amcheck", "verify_heapam(regclass,boolean,boolean,text,bigint,bigint)");
        var toast = HasToast(relation);
        try
        {
            findings.AddRange(await patient.Session.Rows(
                $"SELECT v.blkno, v.offnum, v.attnum, v.msg FROM {function}($1::pg_catalog.regclass, false, $2, 'none', $3, $4) v LIMIT {MaxFindings}",
                row => Read(row, relation, target), cancellationToken, relation.Oid, toast, first, last));
        }
        catch (PatientException problem) when (SqlStates.MeansDamage(problem) || problem.SqlState is "58P01" or "58030")
        {
            if (first == last)
            {
                findings.Add(new Finding(FaultOf(problem, relation), target with { Fork = "main", Block = first }, problem.Message)
                {
                    SqlState = problem.SqlState,
                    Hint = "save the page before anything else reads it: kintsugi snapshots create",
                });
                return;
            }
            var middle = first + ((last - first) / 2);
            await Range(relation, target, first, middle, patient, findings, cancellationToken);
            await Range(relation, target, middle + 1, last, patient, findings, cancellationToken);
        }
    }

    private static FaultClass FaultOf(PatientException problem, Relation relation) =>
        problem.Message.Contains("access status of transaction", StringComparison.Ordinal) ? Faults.TransactionStatusMissing
        : problem.Message.Contains("invalid page", StringComparison.Ordinal) ? Faults.PageChecksum
        : relation.IsToast ? Faults.ToastCorrupt
        : Faults.HeapCorrupt;

    private static Finding Read(System.Data.Common.DbDataReader row, Relation relation, Target target)
    {
        var message = row.GetString(3);
        // attnum counts from 0 here (verify_heapam.c), from 1 in pg_attribute.
        var column = row.IsDBNull(2) ? null : (row.GetInt32(2) + 1).ToString(CultureInfo.InvariantCulture);
        var fault = relation.IsToast || message.Contains("toast", StringComparison.OrdinalIgnoreCase) ? Faults.ToastCorrupt : Faults.HeapCorrupt;
        return new Finding(fault, target with
        {
            Fork = "main",
            Block = row.IsDBNull(0) ? null : row.GetInt64(0),
            Offset = row.IsDBNull(1) ? null : row.GetInt32(1),
            Column = column is null ? null : $"#{column}",
        }, message)
        {
            SqlState = SqlStates.DataCorrupted,
            Hint = "a person decides what becomes of damaged rows; a snapshot of the table's files comes first: kintsugi snapshots create",
            Facts = new Dictionary<string, string>
            {
                ["cause"] = $"{target.ObjectSchema}.{target.Object}",
                ["story"] = $"{target.Name}: tuples or out-of-line values are damaged",
            },
        };
    }
}
