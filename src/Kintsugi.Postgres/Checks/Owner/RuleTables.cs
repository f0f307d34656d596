using Kintsugi.Rules;

namespace Kintsugi.Postgres.Checks.Owner;

/// <summary>A column as a rule of the owner needs it.</summary>
/// <param name="Base">The type below all domains, as SQL, and its OID.</param>
internal sealed record RuleColumn(string Name, string Base, uint BaseOid, bool NotNull, string Collation);

/// <summary>Finds what a rule names. A rule that names what is not there is no reason to fail, but must be told.</summary>
internal static class RuleTables
{
    private const string Columns = """
        WITH RECURSIVE base AS (
          SELECT t.oid AS type, t.oid AS base FROM pg_catalog.pg_type t WHERE t.typtype <> 'd'
          UNION ALL
          SELECT t.oid, b.base FROM pg_catalog.pg_type t JOIN base b ON b.type = t.typbasetype WHERE t.typtype = 'd')
        SELECT a.attname::pg_catalog.text, pg_catalog.format_type(b.base, -1), b.base, a.attnotnull,
               coalesce(pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(l.collname), '')
        FROM pg_catalog.pg_attribute a JOIN base b ON b.type = a.atttypid
        LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation LEFT
          JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace
        WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
        """;

    /// <summary>The tables that hold the rows: the table, or the leaves of a partitioned one.</summary>
    private const string Leaves =
        "SELECT relid::pg_catalog.oid FROM pg_catalog.pg_partition_tree($1::pg_catalog.regclass) WHERE isleaf";

    public static Relation? Find(ObjectName name, Patient patient) =>
        patient.Relations.Find(name.Schema, name.Name) is { Kind: 'r' or 'p' or 'm' } relation ? relation : null;

    public static async ValueTask<IReadOnlyDictionary<string, RuleColumn>> ColumnsOf(
        Relation table, IReadSession session, CancellationToken cancellationToken) =>
        (await session.Rows(Columns,
            row => new RuleColumn(
                row.GetString(0), row.GetString(1), row.GetFieldValue<uint>(2), row.GetBoolean(3), row.GetString(4)),
            cancellationToken, table.Oid)).ToDictionary(column => column.Name);

    public static async ValueTask<IReadOnlyList<Relation>> HeapsOf(
        Relation table, Patient patient, CancellationToken cancellationToken) =>
        table.Kind != 'p'
            ? [table]
            : [.. (await patient.Session.Rows(Leaves, row => row.GetFieldValue<uint>(0), cancellationToken, table.Oid))
                .Select(patient.Relations.Find).OfType<Relation>()];

    /// <summary>What a rule's portion is where the rule cannot be asked.</summary>
    public static Portion Unasked(string rule, ObjectName table, string why, Patient patient) =>
        new(new Target
        {
            Server = patient.Can.SystemIdentifier,
            Database = patient.Relations.Database,
            Schema = table.Schema,
            Relation = table.Name,
            Object = table.Name,
            Kind = TargetKind.Table,
            Rule = rule,
        })
        {
            Relation = Find(table, patient),
            // A server-wide run visits databases that hold nothing of anybody, such as postgres: a rule means none of these.
            Settled = patient.Relations.Relations.Any(relation => relation is { IsCatalog: false, Kind: 'r' or 'p' or 'm' })
                ? new Verdict.Unchecked($"rule {rule}: {why}")
                : new Verdict.NotApplicable("this database has no tables"),
        };

    public static string NoTable(ObjectName table) =>
        $"there is no table {table} in this database; mend the configuration, or name the right database";

    public static string NoColumn(ObjectName table, string column) =>
        $"table {table} has no column {column}; mend the configuration";
}
