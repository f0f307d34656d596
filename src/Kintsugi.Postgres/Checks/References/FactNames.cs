namespace Kintsugi.Postgres.Checks.References;

/// <summary>
/// What findings about rows carry for the repairs (<see cref="Finding.Facts"/>). Lists are JSON arrays of strings, SQL is ready
/// to run under the fixed search_path, yes and no are "true" and "false". Names are as the catalog spells them, unquoted.
/// </summary>
public static class FactNames
{
    /// <summary>
    /// SQL that is true for a bad row, for use after WHERE in a statement over <see cref="From"/>. Asking it again for one row,
    /// by ctid and xmin, is how a repair makes sure that the row is still bad.
    /// </summary>
    public const string Violation = "violation";

    /// <summary>What stands after FROM, UPDATE or DELETE FROM: ONLY and the quoted table, without alias.</summary>
    public const string From = "from";

    /// <summary>Columns of the primary key of the table, a list; empty where rows are known by ctid alone.</summary>
    public const string KeyColumns = "key_columns";

    /// <summary>true: the text is a part of a composite value or of a range.</summary>
    public const string Inside = "inside";

    /// <summary>The constraint's or the rule's name.</summary>
    public const string Constraint = "constraint";

    /// <summary>declared: the schema says so; rule: the owner's configuration says so.</summary>
    public const string Origin = "origin";

    /// <summary>
    /// What the owner chose for bad rows: report, quarantine, set_null, set_default, recreate_parent, delete, nullify, set.
    /// </summary>
    public const string Repair = "repair";

    /// <summary>With <see cref="Repair"/> = set: the SQL expression over the row.</summary>
    public const string RepairSql = "repair_sql";

    /// <summary>A boolean column to be set on a repaired row.</summary>
    public const string Flag = "flag";

    /// <summary>
    /// The columns concerned, a list: of a reference the referring ones, pairwise with <see cref="ParentColumns"/>.
    /// </summary>
    public const string Columns = "columns";
    public const string ParentSchema = "parent_schema";
    public const string ParentTable = "parent_table";
    public const string ParentColumns = "parent_columns";

    /// <summary>A list: OPERATOR(schema.op) for each pair of columns, the parent's on the left.</summary>
    public const string Operators = "operators";

    /// <summary>
    /// A list: the comparison of each pair with casts and collation, the parent behind its alias (<see cref="ParentAlias"/>).
    /// </summary>
    public const string Comparisons = "comparisons";
    public const string ParentAlias = "parent_alias";

    /// <summary>What stands after FROM for the parent, with ONLY where that is right, and the alias.</summary>
    public const string ParentFrom = "parent_from";

    /// <summary>
    /// Other tables that the evidence rests on, a list of schema and name in turn: damage to them is held against every repair of
    /// the case.
    /// </summary>
    public const string StandsOn = Diagnosis.StandsOn;

    /// <summary>
    /// The role whose rights the condition must run with, because it calls that role's code; absent for none in particular.
    /// </summary>
    public const string Role = "role";

    /// <summary>simple or full.</summary>
    public const string Match = "match";

    /// <summary>no action, restrict, cascade, set null, set default.</summary>
    public const string OnDelete = "on_delete";

    /// <summary>The definition as pg_get_constraintdef writes it.</summary>
    public const string Definition = "definition";

    /// <summary>pg_constraint.convalidated.</summary>
    public const string Validated = "validated";

    /// <summary>pg_constraint.conenforced (18+; true before).</summary>
    public const string Enforced = "enforced";

    /// <summary>enabled, disabled or missing: the triggers that enforce a foreign key.</summary>
    public const string Triggers = "triggers";

    /// <summary>
    /// Why a missing parent may be hidden or lost instead of never having been: what its index or its pages still show. Present
    /// means that no row may be touched; absent means that nothing of the kind was seen.
    /// </summary>
    public const string ParentSuspect = "parent_suspect";

    /// <summary>
    /// Where missing parents were looked for: nothing, index, or index and pages (with pageinspect, as superuser).
    /// </summary>
    public const string ParentProbe = "parent_probe";

    /// <summary>What speaks for one way in which the rows came to be as they are, in words; absent where nothing does.</summary>
    public const string Cause = "likely_cause";

    /// <summary>Stored and expected values of sample rows, a list of JSON objects in the order of the samples.</summary>
    public const string Values = "values";

    /// <summary>The expression of a generated column or of a CHECK.</summary>
    public const string Expression = "expression";

    /// <summary>Functions of the server in the expression whose result depends on more than the row.</summary>
    public const string DependsOn = "depends_on";

    /// <summary>The columns that a generated column is made of, a list.</summary>
    public const string BaseColumns = "base_columns";

    /// <summary>The texts that a column may hold, a list.</summary>
    public const string Allowed = "allowed";

    /// <summary>
    /// The owner's query: it returns the keys of bad rows. <see cref="Violation"/> holds where the query names the primary key's
    /// columns.
    /// </summary>
    public const string Query = "query";

    /// <summary>The JSON Schema that the column's documents must obey, and whether SQL NULL is in order.</summary>
    public const string Schema = "schema";
    public const string NullsAllowed = "nulls_allowed";

    /// <summary>
    /// In place of <see cref="Violation"/>, where the server cannot decide by itself: SQL that is true for every bad row and for
    /// some good ones, on which the validator has the last word.
    /// </summary>
    public const string Suspect = "suspect";

    /// <summary>isolated or mass: how many rows of a table disagree with a generated column's expression.</summary>
    public const string Spread = "spread";

    /// <summary>Rows of the table when it was looked at.</summary>
    public const string TableRows = "table_rows";

    /// <summary>The column's type as SQL.</summary>
    public const string Type = "type";

    /// <summary>Of enum values without a label: the OIDs that the labels had, a list; empty where they could not be read.</summary>
    public const string Labels = "labels";

    /// <summary>Whether the column may hold NULL.</summary>
    public const string Nullable = "nullable";

    /// <summary>
    /// The partitioned table whose rows these are: the root, to be named in INSERT and UPDATE (schema and name, two facts).
    /// </summary>
    public const string RootSchema = "root_schema";
    public const string RootTable = "root_table";

    /// <summary>Whether rows of the table arrive by a logical replication subscription: then they are only reported.</summary>
    public const string Subscribed = "subscribed";

    /// <summary>The value that a sequence must be set to at least, and how far it is from here in shares of its range.</summary>
    public const string NextSafe = "next_safe";
    public const string Increment = "increment";
    public const string Cycle = "cycle";
    public const string Shared = "shared";
    public const string SequenceSchema = "sequence_schema";
    public const string Sequence = "sequence";
}
