namespace Kintsugi.Postgres.Checks.Rows;

/// <summary>
/// Whose rights an expression of the schema runs with. A constraint may call functions that its table's owner wrote; run as a
/// superuser they could do what the owner may not. Then the owner's own rights are taken.
/// </summary>
internal static class OwnerRights
{
    /// <summary>SQL: whether the object depends on a function or operator that did not come with the server.</summary>
    public static string CallsOthers(string catalog, string oid) => $"""
        EXISTS (SELECT FROM pg_catalog.pg_depend dep WHERE dep.classid = 'pg_catalog.{catalog}'::pg_catalog.regclass
          AND dep.objid = {oid}
                AND dep.refobjid >= 16384 AND dep.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass,
                  'pg_catalog.pg_operator'::pg_catalog.regclass))
        """;

    /// <summary>The role to take, or null for our own.</summary>
    public static string? Role(Relation table, bool callsOthers, Patient patient) =>
        callsOthers && patient.Can.Superuser && table.Owner.Length > 0 && table.Owner != patient.Can.User ? table.Owner : null;
}
