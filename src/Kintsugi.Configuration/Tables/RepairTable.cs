using Kintsugi.Configuration.Shapes;
using Kintsugi.Rules;

namespace Kintsugi.Configuration.Tables;

/// <summary>The words of <c>repair:</c>, <c>keep:</c> and <c>severity:</c>.</summary>
internal static class RepairTable
{
    private static readonly (string Word, RowRepair Value)[] Words =
    [
        ("report", new RowRepair.Report()),
        ("quarantine", new RowRepair.Quarantine()),
        ("set_null", new RowRepair.SetNull()),
        ("set_default", new RowRepair.SetDefault()),
        ("recreate_parent", new RowRepair.RecreateParent()),
        ("delete", new RowRepair.Delete()),
        ("nullify", new RowRepair.Nullify()),
    ];

    private static readonly Key<string> SetTo = new(
        "set", Is.Sql, "A SQL expression over the row that gives the new value.", required: true);
    private static readonly Key<string> OrderBy = new(
        "order_by", Is.Sql, "What follows ORDER BY: the first row stays.", required: true);

    public static readonly RowRepair Report = Words[0].Value;

    /// <summary>A key <c>repair</c> that takes these words.</summary>
    public static Key<RowRepair> Key(params string[] words) => new("repair", Only(words), Doc(words), Report);

    /// <summary>The same, and also <c>{ set: expression }</c>.</summary>
    public static Key<RowRepair> KeyWithExpression(params string[] words) => new(
        "repair",
        new Either<RowRepair>(Only(words), new Mapping<RowRepair>([SetTo], values => new RowRepair.SetExpression(values.Get(SetTo)))),
        Doc(words) + " Or { set: SQL expression }.",
        Report);

    public static readonly Shape<KeepRow> Keep = new Either<KeepRow>(
        Is.OneOf<KeepRow>(
            ("newest", new KeepRow.Newest()), ("oldest", new KeepRow.Oldest()), ("most_referenced", new KeepRow.MostReferenced())),
        new Mapping<KeepRow>([OrderBy], values => new KeepRow.OrderBy(values.Get(OrderBy))));

    public static readonly Shape<Severity> Severities =
        Is.OneOf(("critical", Severity.Critical), ("warning", Severity.Warning), ("info", Severity.Info));

    private static Shape<RowRepair> Only(string[] words) =>
        Is.OneOf([.. words.Select(word => Array.Find(Words, known => known.Word == word))]);

    private static string Doc(string[] words) => $"What is done with the rows: {string.Join(", ", words)}.";
}
