using Kintsugi.Configuration.Reading;
using Kintsugi.Configuration.Shapes;
using Kintsugi.Rules;

namespace Kintsugi.Configuration.Tables;

/// <summary><c>consistency:</c></summary>
internal static class ConsistencyTable
{
    private static readonly Key<IReadOnlyList<ForeignKeyRule>> ForeignKeys = new(
        "foreign_keys", new Listing<ForeignKeyRule>(ForeignKeyTable.Shape, "rule", rule => rule.Name),
        "References that the schema does not declare.", []);
    private static readonly Key<IReadOnlyList<EnumRule>> Enums = new(
        "enums", new Listing<EnumRule>(EnumTable.Shape, "rule", rule => rule.Name),
        "Columns that must hold an enum's labels, or one of a list.", []);
    private static readonly Key<IReadOnlyList<JsonRule>> Json = new(
        "json", new Listing<JsonRule>(JsonTable.Shape, "rule", rule => rule.Name),
        "Columns whose JSON must match a schema.", []);
    private static readonly Key<IReadOnlyList<SqlRule>> Sql = new(
        "rules", new Listing<SqlRule>(SqlTable.Shape, "rule", rule => rule.Name),
        "Rules in SQL: queries that return the keys of bad rows.", []);
    private static readonly Key<IReadOnlyList<ConstraintChoice>> Constraints = new(
        "constraints", new Listing<ConstraintChoice>(ConstraintTable.Shape, "constraint", choice => $"{choice.Table}.{choice.Constraint}"),
        "What is done with rows that violate a declared constraint.", []);
    private static readonly Key<IReadOnlyList<UniqueChoice>> Unique = new(
        "unique", new Listing<UniqueChoice>(UniqueTable.Shape, "index", choice => choice.Index.ToString()),
        "Which of several rows under one unique index stays.", []);

    public static readonly Mapping<ConsistencyRules> Shape = new(
        [ForeignKeys, Enums, Json, Sql, Constraints, Unique],
        values =>
        {
            var rules = new ConsistencyRules
            {
                ForeignKeys = values.Get(ForeignKeys),
                Enums = values.Get(Enums),
                Json = values.Get(Json),
                Sql = values.Get(Sql),
                Constraints = values.Get(Constraints),
                Unique = values.Get(Unique),
            };
            RefuseOneNameForTwoKinds(values, rules);
            return rules;
        });

    /// <summary>Findings and cases are known by the rule's name, whatever kind of rule it is.</summary>
    private static void RefuseOneNameForTwoKinds(GivenValues values, ConsistencyRules rules)
    {
        var named = rules.ForeignKeys.Select(rule => ((Key)ForeignKeys, rule.Name))
            .Concat(rules.Enums.Select(rule => ((Key)Enums, rule.Name)))
            .Concat(rules.Json.Select(rule => ((Key)Json, rule.Name)))
            .Concat(rules.Sql.Select(rule => ((Key)Sql, rule.Name)));
        foreach (var same in named.GroupBy(rule => rule.Name).Where(group => group.Count() > 1))
        {
            values.Mistake(same.Last().Item1, $"the rule {same.Key} has the name of one under {same.First().Item1.Name}; "
                + "give each rule a name of its own (name: …)");
        }
    }
}

internal static class ForeignKeyTable
{
    private static readonly Shape<IReadOnlyList<string>> Columns = new Listing<string>(Names.Simple, "column", column => column);

    private static readonly Key<string> Name = new("name", Is.Text, "The name of the rule in findings.", required: true);
    private static readonly Key<ObjectName> Table = new("table", Names.Object, "The referring table.", required: true);
    private static readonly Key<IReadOnlyList<string>> Referring = new("columns", Columns, "The referring columns.", required: true);
    private static readonly Key<ObjectName> ParentTable = new("table", Names.Object, "The table referred to.", required: true);
    private static readonly Key<IReadOnlyList<string>> ParentColumns = new("columns", Columns, "Its columns, pairwise.", required: true);
    private static readonly Key<(ObjectName Table, IReadOnlyList<string> Columns)> References = new(
        "references",
        new Mapping<(ObjectName, IReadOnlyList<string>)>(
            [ParentTable, ParentColumns], values => (values.Get(ParentTable), values.Get(ParentColumns))),
        "What is referred to.", required: true);
    private static readonly Key<string?> Where = new("where", Is.Sql!, "A SQL condition on the referring row that limits the rule.");
    private static readonly Key<RowRepair> Repair = RepairTable.Key("report", "quarantine", "set_null", "set_default");

    public static readonly Mapping<ForeignKeyRule> Shape = new(
        [Name, Table, Referring, References, Where, Repair],
        values =>
        {
            var columns = values.Get(Referring);
            var (parent, keys) = values.Get(References);
            if (columns.Count == 0 || columns.Count != keys.Count)
            {
                values.Mistake(Referring,
                    $"{columns.Count} columns refer to {keys.Count} columns of {parent}; name as many on both sides, at least one");
            }

            return new(values.Get(Name), values.Get(Table), columns, parent, keys, values.Get(Where), values.Get(Repair));
        });
}

internal static class EnumTable
{
    private static readonly Key<string?> Name = new("name", Is.Text!, "The name of the rule in findings; the column's when absent.");
    private static readonly Key<ColumnPath> Column = new("column", Names.Column, "The column, as schema.table.column.", required: true);
    private static readonly Key<ObjectName?> Type = new("type", Names.Object!, "The enum type whose labels are allowed.");
    private static readonly Key<IReadOnlyList<string>> Allowed = new(
        "values", new Listing<string>(Is.Text, "value", value => value), "The texts that are allowed.", []);
    private static readonly Key<RowRepair> Repair = RepairTable.KeyWithExpression("report", "nullify", "quarantine");
    private static readonly Key<string?> Flag = FlagColumn.Key;

    public static readonly Mapping<EnumRule> Shape = new(
        [Name, Column, Type, Allowed, Repair, Flag],
        values =>
        {
            var column = values.Get(Column);
            if ((values.Get(Type) is null) == (values.Get(Allowed).Count == 0))
            {
                values.Mistake("give either type (an enum type) or values (a list of texts)");
            }

            FlagColumn.RefuseWithoutChange(values, Repair);
            return new(
                values.Get(Name) ?? $"{column.Table}.{SqlName.Write(column.Column)}",
                column.Table, column.Column, values.Get(Type), values.Get(Allowed), values.Get(Repair), values.Get(Flag));
        });
}

/// <summary><c>flag:</c>, shared by enum and JSON rules.</summary>
internal static class FlagColumn
{
    public static readonly Key<string?> Key = new("flag", Names.Simple!, "A boolean column that is set to true on a repaired row.");

    public static void RefuseWithoutChange(GivenValues values, Key<RowRepair> repair)
    {
        if (values.Has(Key) && values.Get(repair) is RowRepair.Report or RowRepair.Quarantine)
        {
            values.Mistake(Key, "a flag is set on a row whose value was changed; it goes with repair: nullify or { set: … }");
        }
    }
}

internal static class ConstraintTable
{
    private static readonly Key<ColumnPath> Constraint = new(
        "constraint", Names.Constraint, "The constraint, as schema.table.constraint; for NOT NULL schema.table.column.", required: true);
    private static readonly Key<RowRepair> Repair = RepairTable.KeyWithExpression(
        "report", "quarantine", "set_null", "set_default", "recreate_parent", "delete");

    public static readonly Mapping<ConstraintChoice> Shape = new(
        [Constraint, Repair],
        values => new(values.Get(Constraint).Table, values.Get(Constraint).Column, values.Get(Repair)));
}

internal static class UniqueTable
{
    private static readonly Key<ObjectName> Index = new("index", Names.Object, "The unique index, as schema.index.", required: true);
    private static readonly Key<KeepRow> Keep = new(
        "keep", RepairTable.Keep, "newest, oldest, most_referenced or { order_by: SQL }.", required: true);

    public static readonly Mapping<UniqueChoice> Shape = new([Index, Keep], values => new(values.Get(Index), values.Get(Keep)));
}

internal static class SqlTable
{
    private static readonly Key<string> Name = new("name", Is.Text, "The name of the rule in findings.", required: true);
    private static readonly Key<ObjectName> Table = new("table", Names.Object, "The table whose rows it is about.", required: true);
    private static readonly Key<string> Query = new(
        "query", Is.Sql, "A query that returns the keys of the bad rows; it runs read only.", required: true);
    private static readonly Key<Severity> Severity = new(
        "severity", RepairTable.Severities, "critical, warning or info.", Kintsugi.Severity.Warning);
    private static readonly Key<RowRepair> Repair = RepairTable.Key("report", "quarantine");

    public static readonly Mapping<SqlRule> Shape = new(
        [Name, Table, Query, Severity, Repair],
        values => new(values.Get(Name), values.Get(Table), values.Get(Query), values.Get(Severity), values.Get(Repair)));
}
