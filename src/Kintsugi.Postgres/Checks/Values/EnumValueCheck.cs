using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Checks.Values;

/// <summary>
/// Every column of an enum type, a domain over one or an array of one, for values whose label is gone from pg_enum: to print such
/// a value raises an error, to compare it does not (RULES.md 18).
/// </summary>
public sealed class EnumValueCheck : ICheck
{
    /// <summary>Domains are followed down to the type they rest on.</summary>
    private const string Sql = """
        WITH RECURSIVE base AS (
          SELECT t.oid AS type, t.oid AS base FROM pg_catalog.pg_type t WHERE t.typtype <> 'd'
          UNION ALL
          SELECT t.oid, b.base FROM pg_catalog.pg_type t JOIN base b ON b.type = t.typbasetype WHERE t.typtype = 'd')
        SELECT a.attrelid, a.attname::pg_catalog.text, t.oid IS NULL, e.oid, pg_catalog.format_type(e.oid, -1), NOT a.attnotnull
        FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        JOIN base b ON b.type = a.atttypid
        LEFT JOIN pg_catalog.pg_type t ON t.oid = b.base AND t.typtype = 'e'
        LEFT JOIN pg_catalog.pg_type x ON x.oid = b.base AND x.typlen = -1 AND x.typelem <> 0
        LEFT JOIN base xb ON xb.type = x.typelem
        JOIN pg_catalog.pg_type e ON e.oid = coalesce(t.oid, xb.base) AND e.typtype = 'e'
        WHERE c.relkind IN ('r', 'm') AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attrelid, a.attnum
        """;

    private sealed record Column(Relation Table, string Name, bool Array, uint EnumOid, string Enum, bool Nullable);

    public string Id => "enum-value";
    public string Proves => "every enum value still has its label";
    public Layer Layer => Layer.Value;
    public Depth Depth => Depth.Standard;
    public IReadOnlyList<FaultClass> Finds => [Faults.ValueNotInEnum];
    public Needs Needs { get; } = new();

    public async ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken)
    {
        var keys = await TableKeys.Read(patient.Session, cancellationToken);
        var columns = await patient.Session.Rows(Sql, row => patient.Relations.Find(row.GetFieldValue<uint>(0)) is { } table
            ? new Column(
                table, row.GetString(1), row.GetBoolean(2), row.GetFieldValue<uint>(3), row.GetString(4), row.GetBoolean(5))
            : null, cancellationToken);
        var portions = new List<Portion>();
        foreach (var group in columns.OfType<Column>().GroupBy(column => column.Table.Oid))
        {
            var pass = new TablePass();
            var enums = group.Select(column => column.Name).ToHashSet();
            foreach (var column in group)
            {
                // A key that holds enum values may be what cannot be printed.
                var key = keys.Of(column.Table);
                portions.Add(RowPortion.Of(column.Table, $"enum {column.Name}", column.Name,
                    [Test(column, key.Any(enums.Contains) ? [] : key)], pass, patient));
            }
        }
        return portions;
    }

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        var verdict = await ((RowPortion)portion).Examine(patient, cancellationToken);
        return verdict is Verdict.Damaged damaged
            && await IndexHides(damaged.Findings[0].Facts[FactNames.Type], patient, cancellationToken) is { } why
            ? new Verdict.Unchecked(why)
            : verdict;
    }

    /// <summary>enum_range reads pg_enum by its index; when that has lost an entry, sound values would be accused.</summary>
    private static async ValueTask<string?> IndexHides(string type, Patient patient, CancellationToken cancellationToken)
    {
        var sql = $"""
            SELECT pg_catalog.cardinality(pg_catalog.enum_range(NULL::{type})) = (SELECT pg_catalog.count(*)
              FROM pg_catalog.pg_enum
                   WHERE enumtypid = {Quote.Literal(type)}::pg_catalog.regtype)
            """;
        var same = await patient.Session.InTransaction(Evidence.Settings(null),
            session => session.Rows(sql, row => row.GetBoolean(0), cancellationToken), cancellationToken);
        return same[0] ? null : $"an index of pg_enum hides labels of {type}: heal that first";
    }

    /// <summary>The labels are read once, in a subquery of their own, not for each row.</summary>
    private static RowTest Test(Column column, IReadOnlyList<string> key)
    {
        var value = $"{Quote.Identifier(column.Table.Name)}.{Quote.Identifier(column.Name)}";
        var labels = $"ANY ((SELECT pg_catalog.enum_range(NULL::{column.Enum}))::{column.Enum}[])";
        var violation = column.Array
            ? $"EXISTS (SELECT FROM pg_catalog.unnest({value}::{column.Enum}[]) kintsugi_item(label) "
                + $"WHERE NOT (kintsugi_item.label OPERATOR(pg_catalog.=) {labels}))"
            : $"NOT ({value}::{column.Enum} OPERATOR(pg_catalog.=) {labels})";
        var question = new RowQuestion(column.Table, violation, key);
        return new RowTest(question, (target, found, _, _) => ValueTask.FromResult(Tell(column, target, question, found)));
    }

    private static Finding Tell(Column column, Target target, RowQuestion question, RowsFound found)
    {
        var finding = Said.Finding(Faults.ValueNotInEnum, target, question, found,
            $"{Said.Rows(found)} whose {column.Name} holds a value that {column.Enum} has no label for{Said.Example(found)}: "
            + "to read it raises \"invalid internal value for enum\"", new RowRepair.Report(), null);
        return finding with
        {
            Hint = "the label's row is gone from pg_enum, and putting it back with the same OID brings every value back; "
                + "until then no row may be changed",
            Facts = new Dictionary<string, string>(finding.Facts)
            {
                [FactNames.Origin] = "declared",
                [FactNames.Columns] = RowFacts.List([column.Name]),
                [FactNames.Type] = column.Enum,
                [FactNames.Nullable] = RowFacts.Word(column.Nullable),
            },
        };
    }
}
