using Kintsugi.Postgres.Checks.Rows;

namespace Kintsugi.Postgres.Checks.Values;

/// <summary>A stored generated column of a table that is no partitioned one (pg_attribute.attgenerated, pg_attrdef).</summary>
/// <param name="Expression">By pg_get_expr, over bare column names.</param>
/// <param name="Type">By format_type.</param>
/// <param name="CallsOthers">Whether it calls functions that did not come with the server.</param>
/// <param name="Bases">The columns that it reads.</param>
internal sealed record GeneratedColumn(
    Relation Table, string Column, string Expression, string Type, bool CallsOthers, IReadOnlyList<string> Bases)
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

    /// <returns>All of the database, table by table, and for each table whose expressions cannot be read an unchecked portion.</returns>
    public static async ValueTask<(IReadOnlyList<GeneratedColumn> Columns, IReadOnlyList<Portion> Unreadable)> Read(
        Patient patient, CancellationToken cancellationToken)
    {
        var (columns, unreadable) = await TableByTable.Read(Sql, "attrelid",
            row => patient.Relations.Find(row.GetFieldValue<uint>(0)) is { } table && !row.IsDBNull(2)
                ? new GeneratedColumn(table, row.GetString(1), row.GetString(2), row.GetString(3), row.GetBoolean(4), row.GetFieldValue<string[]>(5))
                : null, patient, cancellationToken);
        return ([.. columns.OfType<GeneratedColumn>()], unreadable);
    }
}
