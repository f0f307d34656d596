namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>pg_constraint and pg_trigger within themselves; whether they are enforced is another check's question.</summary>
internal static class ConstraintRules
{
    public static IReadOnlyList<CatalogRule> All { get; } =
    [
        new("constraint-kind", "pg_constraint", "a known kind, and a table or a domain that it constrains", """
            SELECT k.conrelid, k.conname::text, k.ctid::text,
                'contype is ' || k.contype::text || ', conrelid ' || k.conrelid || ', contypid ' || k.contypid
            FROM pg_catalog.pg_constraint k
            WHERE k.contype NOT IN ('c', 'f', 'n', 'p', 'u', 't', 'x') OR (k.conrelid = 0) = (k.contypid = 0)
            """),
        new("constraint-key", "pg_constraint", "as many referenced columns and operators as referencing columns", """
            SELECT k.conrelid, k.conname::text, k.ctid::text, 'conkey has ' || coalesce(pg_catalog.array_length(k.conkey, 1),
                0) || ', confkey '
                   || coalesce(pg_catalog.array_length(k.confkey, 1),
                       0) || ', conpfeqop ' || coalesce(pg_catalog.array_length(k.conpfeqop, 1), 0)
            FROM pg_catalog.pg_constraint k
            WHERE k.contype = 'f' AND (k.confrelid = 0 OR k.conkey IS NULL
               OR pg_catalog.array_length(k.conkey, 1) IS DISTINCT FROM pg_catalog.array_length(k.confkey, 1)
               OR pg_catalog.array_length(k.conkey, 1) IS DISTINCT FROM pg_catalog.array_length(k.conpfeqop, 1))
            """),
        new("constraint-expression", "pg_constraint", "an expression for a CHECK constraint", """
            SELECT k.conrelid, k.conname::text, k.ctid::text, 'conbin is null'
            FROM pg_catalog.pg_constraint k WHERE k.contype = 'c' AND k.conbin IS NULL
            """),
        new("constraint-trigger", "pg_trigger", "a trigger behind a constraint trigger's constraint", """
            SELECT k.conrelid, k.conname::text, k.ctid::text, 'pg_trigger has none'
            FROM pg_catalog.pg_constraint k
            WHERE k.contype = 't' AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgconstraint = k.oid)
            """),
    ];
}
