using System.Globalization;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Checks.Values;

/// <summary>
/// Every column that holds enum values, itself or anywhere inside, for values whose label is gone from pg_enum: to print such a value raises
/// an error, to compare it does not.
/// </summary>
public sealed class EnumValueCheck : ICheck
{
    private const string Columns = """
        SELECT a.attrelid, a.attname::pg_catalog.text, a.atttypid, NOT a.attnotnull
        FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        WHERE a.atttypid = ANY ($1) AND c.relkind IN ('r', 'm') AND a.attnum > 0 AND NOT a.attisdropped
          AND a.attgenerated <> 'v'
        ORDER BY a.attrelid, a.attnum
        """;

    private sealed record Column(Relation Table, string Name, uint Type, bool Nullable, EnumTypes Types);

    public string Id => "enum-value";
    public string Proves => "every enum value still has its label";
    public Layer Layer => Layer.Value;
    public Depth Depth => Depth.Standard;
    public IReadOnlyList<FaultClass> Finds => [Faults.ValueNotInEnum];
    public Needs Needs { get; } = new();

    public async ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken)
    {
        var types = await EnumTypes.Read(patient.Session, cancellationToken);
        var keys = await TableKeys.Read(patient.Session, cancellationToken);
        var columns = await patient.Session.Rows(Columns, row => patient.Relations.Find(row.GetFieldValue<uint>(0)) is { } table
            ? new Column(table, row.GetString(1), row.GetFieldValue<uint>(2), row.GetBoolean(3), types)
            : null, cancellationToken, (object)types.All);
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
        if (verdict is Verdict.Damaged { Findings: [var finding, ..] })
            foreach (var type in finding.Facts[FactNames.Type].Split(", "))
                if (await IndexHides(type, patient, cancellationToken) is { } why)
                    return new Verdict.Unchecked(why);
        return verdict;
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

    private static RowTest Test(Column column, IReadOnlyList<string> key)
    {
        var value = $"{Quote.Identifier(column.Table.Name)}.{Quote.Identifier(column.Name)}";
        var question = new RowQuestion(column.Table, column.Types.Lost(column.Type, value), key);
        return new RowTest(question, (target, found, patient, stop) => Tell(column, target, question, found, patient, stop));
    }

    private static async ValueTask<Finding> Tell(
        Column column, Target target, RowQuestion question, RowsFound found, Patient patient, CancellationToken cancellationToken)
    {
        var enums = string.Join(", ", column.Types.Inside(column.Type));
        var oids = column.Types.IsPlain(column.Type)
            ? await LostLabels.Oids(column.Table, column.Name, [.. found.Sample.Select(row => row.Place)], patient, cancellationToken) : [];
        var told = oids.Count == 0 ? "" : $" (the labels' OIDs were {string.Join(", ", oids)})";
        var finding = Said.Finding(Faults.ValueNotInEnum, target, question, found,
            $"{Said.Rows(found)} whose {column.Name} holds a value that {enums} has no label for{told}{Said.Example(found)}: "
            + "to read it raises \"invalid internal value for enum\"", new RowRepair.Report(), null);
        return finding with
        {
            Hint = "the label's row is gone from pg_enum, and putting it back with the same OID brings every value back; "
                + "until then no row may be changed",
            Facts = new Dictionary<string, string>(finding.Facts)
            {
                [FactNames.Origin] = "declared",
                [FactNames.Columns] = RowFacts.List([column.Name]),
                [FactNames.Type] = enums,
                [FactNames.Nullable] = RowFacts.Word(column.Nullable),
                [FactNames.Labels] = RowFacts.List([.. oids.Select(oid => oid.ToString(CultureInfo.InvariantCulture))]),
            },
        };
    }
}
