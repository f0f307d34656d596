using System.Globalization;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Checks.Values;

/// <summary>
/// Every stored generated column against its expression, byte for byte. Where a few rows disagree, a stored value has changed by
/// itself, and it may as well be one of the columns that the expression reads (RULES.md 19); where most do, the expression or its
/// functions have changed.
/// </summary>
public sealed class GeneratedCheck : ICheck
{
    private static readonly string Sql = $"""
        SELECT a.attrelid, a.attname::pg_catalog.text, pg_catalog.pg_get_expr(d.adbin, d.adrelid),
          pg_catalog.format_type(a.atttypid, a.atttypmod),
               {OwnerRights.CallsOthers("pg_attrdef", "d.oid")},
               ARRAY(SELECT b.attname::pg_catalog.text FROM pg_catalog.pg_depend e
                 JOIN pg_catalog.pg_attribute b ON b.attrelid = e.refobjid AND b.attnum = e.refobjsubid
                     WHERE e.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND e.objid = d.oid
                       AND e.refobjid = a.attrelid AND b.attnum <> a.attnum
                     UNION SELECT b.attname::pg_catalog.text FROM pg_catalog.pg_depend e
                       JOIN pg_catalog.pg_attribute b ON b.attrelid = e.refobjid AND b.attnum = e.refobjsubid
                     WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = a.attrelid
                       AND e.objsubid = a.attnum AND e.refobjid = a.attrelid
                       AND e.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND b.attnum <> a.attnum)
        FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attgenerated = 's' AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'r'
        ORDER BY a.attrelid, a.attnum
        """;

    private sealed record Generated(
        Relation Table, string Column, string Expression, string Type, bool CallsOthers, IReadOnlyList<string> Bases);

    public string Id => "generated";
    public string Proves => "every stored generated column holds what its expression gives";
    public Layer Layer => Layer.Value;
    public Depth Depth => Depth.Standard;
    public IReadOnlyList<FaultClass> Finds => [Faults.GeneratedStale];
    public Needs Needs { get; } = new();

    public async ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken)
    {
        var keys = await TableKeys.Read(patient.Session, cancellationToken);
        var (columns, unreadable) = await TableByTable.Read(
            Sql, "attrelid", row => patient.Relations.Find(row.GetFieldValue<uint>(0)) is { } table && !row.IsDBNull(2)
            ? new Generated(
                table, row.GetString(1), row.GetString(2), row.GetString(3), row.GetBoolean(4), row.GetFieldValue<string[]>(5))
            : null, patient, cancellationToken);
        var portions = new List<Portion>(unreadable);
        foreach (var group in columns.OfType<Generated>().GroupBy(column => column.Table.Oid))
        {
            var pass = new TablePass();
            portions.AddRange(group.Select(column =>
                RowPortion.Of(
                    column.Table, $"generated {column.Column}", column.Column, [Test(column, keys.Of(column.Table), patient)],
                    pass, patient)));
        }
        return portions;
    }

    public ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken) =>
        ((RowPortion)portion).Examine(patient, cancellationToken);

    private static RowTest Test(Generated column, IReadOnlyList<string> key, Patient patient)
    {
        var stored = $"{Quote.Identifier(column.Table.Name)}.{Quote.Identifier(column.Column)}";
        var expected = $"({column.Expression})::{column.Type}";
        // The images of the values: no equality operator of a user's type is asked, and NULL equals NULL (rowtypes.c,
        // record_image_eq).
        var question = new RowQuestion(column.Table, $"NOT pg_catalog.record_image_eq(ROW({stored}), ROW({expected}))", key)
        {
            Role = OwnerRights.Role(column.Table, column.CallsOthers, patient),
            Shown = $"pg_catalog.json_build_object('stored', ({stored})::pg_catalog.text, 'expected', "
                + $"({expected})::pg_catalog.text)::pg_catalog.text",
        };
        return new RowTest(question, (target, found, at, stop) => Tell(column, target, question, found, at, stop));
    }

    private static async ValueTask<Finding> Tell(
        Generated column, Target target, RowQuestion question, RowsFound found, Patient patient,
            CancellationToken cancellationToken)
    {
        var total = (
            await patient.Session.Rows(
            $"SELECT pg_catalog.count(*) FROM {question.From}", row => row.GetInt64(0), cancellationToken))[0];
        var mass = found.Rows * 2 > total && total > 0;
        var finding = Said.Finding(Faults.GeneratedStale, target, question, found,
            $"{Said.Rows(found)} of {total.ToString(CultureInfo.InvariantCulture)} where {column.Column} differs from its "
                + $"expression {column.Expression}"
            + Said.Example(found), new RowRepair.Report(), null);
        return finding with
        {
            Hint = mass
                ? "most rows disagree: the expression or a function that it calls has changed since they were written"
                : $"few rows disagree: suspect the columns that it is made of ({string.Join(", ", column.Bases)}) as much as "
                    + "itself; "
                    + "compare both values with an index over them, a standby or a backup before anything is written",
            Facts = new Dictionary<string, string>(finding.Facts)
            {
                [FactNames.Columns] = RowFacts.List([column.Column]),
                [FactNames.BaseColumns] = RowFacts.List(column.Bases),
                [FactNames.Expression] = column.Expression,
                [FactNames.Type] = column.Type,
                [FactNames.Spread] = mass ? "mass" : "isolated",
                [FactNames.TableRows] = total.ToString(CultureInfo.InvariantCulture),
                [FactNames.Values] = RowFacts.List([.. found.Sample.Take(20).Select(row => row.Shown ?? "null")]),
            },
        };
    }
}
