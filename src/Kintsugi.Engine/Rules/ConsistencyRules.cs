namespace Kintsugi.Rules;

/// <summary>What the owner knows about the data that the schema does not say, and what to do where it does not hold.</summary>
public sealed record ConsistencyRules
{
    /// <summary>No rules of the owner's: what the schema declares is checked all the same.</summary>
    public static ConsistencyRules None { get; } = new();

    public IReadOnlyList<ForeignKeyRule> ForeignKeys { get; init; } = [];
    public IReadOnlyList<EnumRule> Enums { get; init; } = [];
    public IReadOnlyList<JsonRule> Json { get; init; } = [];
    public IReadOnlyList<SqlRule> Sql { get; init; } = [];
    public IReadOnlyList<ConstraintChoice> Constraints { get; init; } = [];
    public IReadOnlyList<UniqueChoice> Unique { get; init; } = [];
}

/// <summary>A reference that the schema does not declare.</summary>
/// <param name="Name">Unique among all rules; findings and cases are known by it.</param>
/// <param name="Columns">As many as <paramref name="ReferencedColumns"/>, pairwise.</param>
/// <param name="Where">A SQL condition on the referring row that limits the rule, or null for every row.</param>
public sealed record ForeignKeyRule(
    string Name,
    ObjectName Table,
    IReadOnlyList<string> Columns,
    ObjectName ReferencedTable,
    IReadOnlyList<string> ReferencedColumns,
    string? Where,
    RowRepair Repair);

/// <summary>A column that may hold only certain texts: the labels of an enum type, or a list.</summary>
/// <param name="Type">The enum type; null when <paramref name="Values"/> lists them.</param>
/// <param name="Flag">A boolean column that is set to true on a repaired row, or null.</param>
public sealed record EnumRule(
    string Name, ObjectName Table, string Column, ObjectName? Type, IReadOnlyList<string> Values, RowRepair Repair, string? Flag);

/// <summary>A json or jsonb column whose documents must match a JSON Schema (draft 2020-12).</summary>
/// <param name="Schema">The schema as JSON text.</param>
/// <param name="NullsAllowed">Whether SQL NULL is in order; the schema says nothing about it.</param>
/// <param name="Flag">A boolean column that is set to true on a repaired row, or null.</param>
public sealed record JsonRule(
    string Name, ObjectName Table, string Column, string Schema, bool NullsAllowed, RowRepair Repair, string? Flag);

/// <summary>A rule in SQL.</summary>
/// <param name="Query">Returns the keys of the rows that break the rule; runs read only and under a time limit.</param>
public sealed record SqlRule(string Name, ObjectName Table, string Query, Severity Severity, RowRepair Repair);

/// <summary>What to do with rows that violate a constraint the schema does declare.</summary>
public sealed record ConstraintChoice(ObjectName Table, string Constraint, RowRepair Repair);

/// <summary>Which row of several under one unique index stays.</summary>
public sealed record UniqueChoice(ObjectName Index, KeepRow Keep);
