namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>What <see cref="EnforcementCheck"/> asks of pg_constraint and pg_trigger.</summary>
internal static class EnforcementSql
{
    /// <summary>Tables that have a constraint or a trigger at all.</summary>
    public const string Guarded = """
        SELECT k.conrelid FROM pg_catalog.pg_constraint k WHERE k.conrelid <> 0
        UNION SELECT t.tgrelid FROM pg_catalog.pg_trigger t
        """;

    /// <summary>
    /// Where a foreign key's triggers are (src/backend/commands/tablecmds.c): two that check on a plain referencing table, unless
    /// the row in
    /// pg_constraint only serves one partition of the referenced table; two that act on a plain referenced table, unless the row
    /// only serves
    /// one partition of the referencing table, for which its parent's act. Each is an AFTER ROW trigger of one event (5 INSERT, 9 DELETE, 17 UPDATE);
    /// one that fires at another, or twice the same, leaves an event unguarded.
    /// </summary>
    private const string ForeignKeys = """
        WITH declared AS (
            SELECT k.oid, k.conname, k.conrelid, k.confrelid, k.contype, k.convalidated, k.conparentid,
                   coalesce((pg_catalog.to_jsonb(k) ->> 'conenforced')::pg_catalog.bool, true) AS enforced
            FROM pg_catalog.pg_constraint k WHERE k.conrelid <> 0
        ), guards AS (
            SELECT t.tgconstraint, t.tgrelid, t.tgenabled, p.proname, t.tgtype = CASE
                       WHEN p.proname LIKE '%\_ins' THEN 5 WHEN p.proname LIKE '%\_del' THEN 9 ELSE 17 END AS fires
            FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
            WHERE t.tgconstraint <> 0 AND p.proname LIKE 'RI\_FKey\_%'
        ), needs AS (
            SELECT k.oid, n.relation, n.checks
            FROM declared k LEFT JOIN declared u ON u.oid = k.conparentid
            JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_class f ON f.oid = k.confrelid
            CROSS JOIN LATERAL (VALUES (k.conrelid, true, c.relkind, u.oid IS NULL OR u.conrelid <> k.conrelid),
                                       (k.confrelid, false, f.relkind, u.oid IS NULL
                                           OR u.confrelid <> k.confrelid)) n(relation, checks, kind, due)
            WHERE k.contype = 'f' AND k.enforced AND n.kind = 'r' AND n.due
        )
        """;

    /// <summary>Table, name, kind (disabled, missing, not-valid, declared, trigger), the state in words, the
    /// definition.</summary>
    public const string Lapses = $"""
        {ForeignKeys}
        SELECT k.conrelid, k.conname::text, 'missing', 'of its two triggers on ' || n.relation::pg_catalog.regclass::text || ' '
            || count(DISTINCT g.proname)
               || ' are there', pg_catalog.pg_get_constraintdef(k.oid)
        FROM needs n JOIN declared k ON k.oid = n.oid
        LEFT JOIN guards g ON g.tgconstraint = n.oid AND g.tgrelid = n.relation AND (g.proname LIKE 'RI\_FKey\_check%') = n.checks AND g.fires
        GROUP BY k.conrelid, k.conname, n.relation, k.oid, n.checks HAVING count(DISTINCT g.proname) < 2
        UNION ALL
        SELECT k.conrelid, k.conname::text, 'disabled', 'its triggers are disabled on '
               || pg_catalog.string_agg(DISTINCT g.tgrelid::pg_catalog.regclass::text, ', '),
                   pg_catalog.pg_get_constraintdef(k.oid)
        FROM declared k JOIN guards g ON g.tgconstraint = k.oid
        WHERE g.tgenabled IN ('D', 'R') AND k.enforced GROUP BY k.conrelid, k.conname, k.oid
        UNION ALL
        SELECT k.conrelid, k.conname::text, CASE WHEN k.enforced THEN 'not-valid' ELSE 'declared' END,
               CASE WHEN k.enforced THEN 'it was never validated (NOT VALID)'
                   ELSE 'it is declared NOT ENFORCED' END, pg_catalog.pg_get_constraintdef(k.oid)
        FROM declared k WHERE NOT k.convalidated OR NOT k.enforced
        UNION ALL
        SELECT t.tgrelid, t.tgname::text, 'trigger', CASE t.tgenabled WHEN 'D' THEN 'disabled'
            ELSE 'enabled for replicas only' END,
               pg_catalog.pg_get_triggerdef(t.oid)
        FROM pg_catalog.pg_trigger t WHERE t.tgenabled IN ('D', 'R') AND NOT t.tgisinternal
        """;
}
