using Kintsugi.Pages;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks;

/// <summary>
/// Every value that is compressed or kept out of line is fetched and unpacked once by the server: verify_heapam counts chunks and unpacks
/// nothing, and 13 has no verify_heapam at all. Runs after heap and indexes: a table or TOAST table that is damaged is not read, and where the TOAST
/// index is damaged too, values that it hides look lost until it was rebuilt (as they do to verify_heapam).
/// </summary>
public sealed class ToastValuesCheck : ICheck
{
    /// <summary>
    /// Blocks of heap in one statement; where it fails, halves, down to the page, then row by row. Before 14 a range of ctid reads the whole table,
    /// so that each place is named, which 8 MiB would make too many.
    /// </summary>
    private static long BlocksPerCall(Patient patient) => HasRanges(patient) ? 1024 : 64;

    private static bool HasRanges(Patient patient) => patient.Can.Major >= 14;

    /// <summary>Beyond that a table is damaged enough.</summary>
    private const int MostFindings = 100;

    public string Id => "toast-values";
    public string Proves => "every compressed or out-of-line value can be fetched and unpacked";
    public Layer Layer => Layer.Map;
    public Depth Depth => Depth.Deep;
    public bool RestsOnPages => true;
    public IReadOnlyList<FaultClass> Finds => [Faults.ToastCorrupt];
    public Needs Needs { get; } = new();

    public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<Portion>>([.. patient.Relations.Relations
            .Where(relation => relation.HasHeap && !relation.IsToast && relation.ToastOid != 0)
            .SelectMany(relation => HeapSlices.Of(relation, Eligible.Portion(relation, patient) with
            {
                StandsOn = [relation.Oid, relation.ToastOid, .. patient.Relations.IndexesOf(relation.ToastOid).Select(index => index.Oid)],
                Settled = Eligible.Settle(relation, patient),
            }))]);

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        var relation = portion.Relation!;
        try
        {
            var columns = await patient.Session.Rows(
                "SELECT attname::pg_catalog.text FROM pg_catalog.pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped "
                + "AND attlen = -1 AND attstorage <> 'p' ORDER BY attnum", row => row.GetString(0), cancellationToken, relation.Oid);
            if (columns.Count == 0)
                return Verdict.Sound.Instance;
            var blocks = (await patient.Session.Rows("SELECT pg_catalog.pg_relation_size($1::pg_catalog.regclass, 'main') / 8192",
                row => row.IsDBNull(0) ? 0 : row.GetInt64(0), cancellationToken, relation.Oid))[0];
            var reading = new Reading(relation, columns, portion.Target, patient);
            var step = BlocksPerCall(patient);
            var end = portion.Blocks == long.MaxValue ? blocks : Math.Min(blocks, portion.FirstBlock + portion.Blocks);
            for (var block = portion.FirstBlock; block < end && reading.Findings.Count < MostFindings; block += step)
            {
                var last = Math.Min(block + step, end) - 1;
                await reading.Range(block, last, cancellationToken);
                await patient.Pace.Spend((last - block + 1) * 8192, cancellationToken);
            }
            return Verdict.From(reading.Findings);
        }
        catch (PatientException problem) when (SqlStates.IsGone(problem.SqlState))
        {
            return new Verdict.NotApplicable("dropped meanwhile");
        }
    }

    private sealed class Reading(Relation relation, IReadOnlyList<string> columns, Target target, Patient patient)
    {
        public List<Finding> Findings { get; } = [];

        public async ValueTask Range(long first, long last, CancellationToken cancellationToken)
        {
            if (Findings.Count >= MostFindings || await Fails(columns, Places(first, last), cancellationToken) is null)
                return;
            if (first < last)
            {
                var middle = first + ((last - first) / 2);
                await Range(first, middle, cancellationToken);
                await Range(middle + 1, last, cancellationToken);
                return;
            }
            var rows = await patient.Session.Rows($"SELECT t.ctid::pg_catalog.text FROM ONLY {Quote.Name(relation)} t WHERE {Places(first, last)}",
                row => row.GetString(0), cancellationToken);
            foreach (var place in rows)
                foreach (var column in columns)
                    if (Findings.Count < MostFindings && await Fails([column], $"t.ctid = '{place}'::pg_catalog.tid", cancellationToken) is { } problem)
                        Findings.Add(Found(place, column, problem));
        }

        /// <summary>record_image_eq fetches and unpacks both sides (rowtypes.c, datum.c) and calls no code of any type.</summary>
        private async ValueTask<PatientException?> Fails(IReadOnlyList<string> names, string where, CancellationToken cancellationToken)
        {
            var own = string.Join(", ", names.Select(name => $"t.{Quote.Identifier(name)}"));
            try
            {
                await patient.Session.Rows($"SELECT pg_catalog.count(*) FROM ONLY {Quote.Name(relation)} t WHERE {where} "
                    + $"AND pg_catalog.record_image_eq(ROW({own}), ROW({own}))", row => row.GetInt64(0), cancellationToken);
                return null;
            }
            catch (PatientException problem) when (SqlStates.MeansDamage(problem))
            {
                return problem;
            }
        }

        private string Places(long first, long last) => HasRanges(patient)
            ? $"t.ctid >= '({first},0)'::pg_catalog.tid AND t.ctid < '({last + 1},0)'::pg_catalog.tid"
            : "t.ctid = ANY (ARRAY(SELECT pg_catalog.format('(%s,%s)', b, i)::pg_catalog.tid "
                + $"FROM pg_catalog.generate_series({first}, {last}) b, pg_catalog.generate_series(1, 291) i))";

        private Finding Found(string place, string column, PatientException problem)
        {
            var tid = Tid.Parse(place);
            return new Finding(Faults.ToastCorrupt, target with
            {
                Fork = "main",
                Block = tid.Block,
                Offset = tid.Item,
                Column = column,
            }, $"expected the value to be read, but: {problem.Message}")
            {
                SqlState = problem.SqlState,
                Rows = 1,
                Hint = "the other columns of the row can still be read; a snapshot of the table's files comes first: kintsugi snapshots create",
                Facts = new Dictionary<string, string>
                {
                    ["cause"] = $"{target.ObjectSchema}.{target.Object}",
                    ["story"] = $"{target.Name}: tuples or out-of-line values are damaged",
                },
            };
        }
    }
}
