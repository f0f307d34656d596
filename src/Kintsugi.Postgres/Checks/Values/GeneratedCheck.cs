using System.Globalization;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Checks.Values;

/// <summary>
/// Every stored generated column against its expression, byte for byte. Where a few rows disagree, a stored value has changed by
/// itself, and it may as well be one of the columns that the expression reads; where most do, the expression or its
/// functions have changed.
/// </summary>
public sealed class GeneratedCheck : ICheck
{
    public string Id => "generated";
    public string Proves => "every stored generated column holds what its expression gives";
    public Layer Layer => Layer.Value;
    public Depth Depth => Depth.Standard;
    public IReadOnlyList<FaultClass> Finds => [Faults.GeneratedStale];
    public Needs Needs { get; } = new();

    public async ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken)
    {
        var keys = await TableKeys.Read(patient.Session, cancellationToken);
        var (columns, unreadable) = await GeneratedColumn.Read(patient, cancellationToken);
        var portions = new List<Portion>(unreadable);
        foreach (var group in columns.GroupBy(column => column.Table.Oid))
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

    private static RowTest Test(GeneratedColumn column, IReadOnlyList<string> key, Patient patient)
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
        GeneratedColumn column, Target target, RowQuestion question, RowsFound found, Patient patient,
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
