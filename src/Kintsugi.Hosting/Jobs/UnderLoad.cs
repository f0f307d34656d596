namespace Kintsugi.Hosting;

/// <summary>
/// While data is loaded, or the triggers that watch over references are off, a violation may be one that the loader is about to mend: rows wait
/// (RULES.md 2).
/// </summary>
internal static class UnderLoad
{
    private const string Sql = """
        SELECT pg_catalog.format('the triggers of constraint %s on %s are disabled: rows are changed when they watch again', k.conname, k.conrelid::pg_catalog.regclass)
        FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_trigger t ON t.tgconstraint = k.oid
        JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE t.tgenabled IN ('D', 'R') AND k.contype = 'f' AND n.nspname = $1 AND c.relname = $2
        UNION ALL
        SELECT pg_catalog.format('data is being loaded (backend %s, %s): rows are changed when that has ended', s.pid, s.application_name)
        FROM pg_catalog.pg_stat_activity s
        WHERE s.datname = pg_catalog.current_database() AND s.pid <> pg_catalog.pg_backend_pid() AND s.state <> 'idle'
          AND (s.query ~* '^\s*copy\M.*\mfrom\M' OR s.application_name ~* '^(pg_restore|pgloader)')
        LIMIT 1
        """;

    /// <returns>Why rows of this case may not be changed now, or null.</returns>
    public static async ValueTask<string?> WhyHeld(HealingCase healing, IPatientSource source, CancellationToken cancellationToken)
    {
        if (healing is not { Database: { } database, Target: { Schema: { } schema, Relation: { } table } } || healing.Fault.Layer < Layer.Uniqueness)
            return null;
        var patient = await source.Open(database, cancellationToken);
        await using var session = patient.Session;
        return await session.Rows(Sql, row => row.GetString(0), cancellationToken, schema, table) is [var why] ? why : null;
    }
}
