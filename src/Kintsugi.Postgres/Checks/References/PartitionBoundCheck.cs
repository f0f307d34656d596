using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Checks.References;

/// <summary>
/// Every partition against its own bound, its ancestors' bounds included: list, range, hash and default partitions, nested to any
/// depth. A misrouted row is invisible to queries that the planner sends to the right partition; a changed collation or hash
/// function makes such rows, and so does a row that was written past the parent.
/// </summary>
public sealed class PartitionBoundCheck : ICheck
{
    private static readonly string Sql = $"""
        SELECT c.oid, pg_catalog.pg_get_partition_constraintdef(c.oid), n.nspname::pg_catalog.text, r.relname::pg_catalog.text,
               EXISTS (SELECT FROM pg_catalog.pg_partition_ancestors(c.oid) a
                 WHERE {OwnerRights.CallsOthers("pg_class", "a.relid::pg_catalog.oid")})
        FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_class r ON r.oid = pg_catalog.pg_partition_root(c.oid)
        JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
        WHERE c.relispartition AND c.relkind = 'r'
        ORDER BY c.oid
        """;

    private const string Foreign = """
        SELECT n.nspname::pg_catalog.text, c.relname::pg_catalog.text
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relispartition
          AND c.relkind = 'f'
        """;

    private const string Bound = "partition bound";

    private sealed record Partition(Relation Table, string Expression, string RootSchema, string Root, bool CallsOthers);

    public string Id => "partition-bound";
    public string Proves => "every row lies in the partition that its key belongs to";
    public Layer Layer => Layer.Reference;
    public Depth Depth => Depth.Standard;
    public IReadOnlyList<FaultClass> Finds => [Faults.RowMisrouted];
    public Needs Needs { get; } = new();

    public async ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken)
    {
        var keys = await TableKeys.Read(patient.Session, cancellationToken);
        // A default partition without siblings has no bound: there is no way to be wrong in it.
        var (partitions, unreadable) = await TableByTable.Read(Sql, "oid", row =>
            patient.Relations.Find(row.GetFieldValue<uint>(0)) is { } table && !row.IsDBNull(1) && row.GetString(1).Length > 0
                ? new Partition(table, row.GetString(1), row.GetString(2), row.GetString(3), row.GetBoolean(4))
                : null, patient, cancellationToken);
        var foreign = await patient.Session.Rows(Foreign, row => (row.GetString(0), row.GetString(1)), cancellationToken);
        return
        [
            .. unreadable,
            .. partitions.OfType<Partition>().Select(partition => Portion(partition, keys.Of(partition.Table), patient)),
            .. foreign.Select(name => ForeignPortion(name, patient)),
        ];
    }

    public ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken) =>
        ((RowPortion)portion).Examine(patient, cancellationToken);

    private static RowPortion Portion(Partition partition, IReadOnlyList<string> key, Patient patient)
    {
        // The server lets a row pass whose bound is neither true nor false (execMain.c, ExecPartitionCheck).
        var question = new RowQuestion(partition.Table, $"({partition.Expression}) IS FALSE", key)
        {
            Role = OwnerRights.Role(partition.Table, partition.CallsOthers, patient),
        };
        var test = new RowTest(question, (target, found, _, _) => ValueTask.FromResult(Tell(partition, target, question, found)));
        return RowPortion.Of(partition.Table, Bound, null, [test], new TablePass(), patient);
    }

    private static Finding Tell(Partition partition, Target target, RowQuestion question, RowsFound found)
    {
        var finding = Said.Finding(Faults.RowMisrouted, target, question, found,
            $"{Said.Rows(found)} that do not belong into this partition of {partition.RootSchema}.{partition.Root}: expected "
                + $"{partition.Expression}"
            + Said.Example(found), new RowRepair.Report(), null);
        return finding with
        {
            Facts = new Dictionary<string, string>(finding.Facts)
            {
                [FactNames.RootSchema] = partition.RootSchema,
                [FactNames.RootTable] = partition.Root,
                [FactNames.Expression] = partition.Expression,
            },
        };
    }

    private static Portion ForeignPortion((string Schema, string Name) foreign, Patient patient) =>
        new(new Target
        {
            Server = patient.Can.SystemIdentifier,
            Database = patient.Relations.Database,
            Schema = foreign.Schema,
            Relation = foreign.Name,
            Object = foreign.Name,
            Kind = TargetKind.Partition,
            Rule = Bound,
        })
        {
            Settled = new Verdict.Unchecked("a foreign table: its rows are on another server; examine that server"),
        };
}
