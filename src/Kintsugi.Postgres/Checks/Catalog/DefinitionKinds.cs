namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>Objects whose definition the server itself can write down, or cannot when the catalogs behind it are
/// damaged.</summary>
/// <param name="Name">What people call such an object.</param>
/// <param name="From">The catalog with alias <c>o</c>, joins and conditions: <c>o.ctid</c> tells one from another.</param>
/// <param name="Relation">The relation concerned, as SQL, or 0.</param>
/// <param name="Label">Its name, as SQL.</param>
/// <param name="Definition">What is asked of each: null or an error of class XX means that it cannot be told.</param>
internal sealed record DefinitionKind(string Name, string Catalog, string From, string Relation, string Label, string Definition)
{
    public FaultClass Fault { get; init; } = Faults.CatalogInconsistent;
}

/// <summary>The kinds, as data (src/backend/utils/adt/ruleutils.c). Objects of initdb are left out but for the catalogs' own
/// indexes.</summary>
internal static class DefinitionKinds
{
    public static IReadOnlyList<DefinitionKind> All { get; } =
    [
        new("index", "pg_index", "pg_catalog.pg_index o JOIN pg_catalog.pg_class c ON c.oid = o.indexrelid", "o.indexrelid",
            "c.relname",
            "pg_catalog.pg_get_indexdef(o.indexrelid)"),
        new("view", "pg_rewrite", "pg_catalog.pg_rewrite o JOIN pg_catalog.pg_class c ON c.oid = o.ev_class AND c.relkind IN "
            + "('v', 'm') AND c.oid >= 16384 AND o.ev_type = '1'",
            "o.ev_class", "c.relname", "pg_catalog.pg_get_viewdef(o.ev_class)"),
        new("rule", "pg_rewrite", "pg_catalog.pg_rewrite o JOIN pg_catalog.pg_class c ON c.oid = o.ev_class AND c.oid >= 16384 "
            + "AND o.ev_type <> '1'",
            "o.ev_class", "o.rulename", "pg_catalog.pg_get_ruledef(o.oid)"),
        new("constraint", "pg_constraint", "pg_catalog.pg_constraint o JOIN pg_catalog.pg_class c ON c.oid = o.conrelid AND "
            + "c.oid >= 16384", "o.conrelid",
            "o.conname", "pg_catalog.pg_get_constraintdef(o.oid)"),
        new("domain constraint", "pg_constraint", "pg_catalog.pg_constraint o JOIN pg_catalog.pg_type t ON t.oid = o.contypid "
            + "AND t.oid >= 16384", "0",
            "o.conname", "pg_catalog.pg_get_constraintdef(o.oid)"),
        new("default", "pg_attrdef", "pg_catalog.pg_attrdef o JOIN pg_catalog.pg_attribute a ON a.attrelid = o.adrelid AND "
            + "a.attnum = o.adnum", "o.adrelid",
            "a.attname", "pg_catalog.pg_get_expr(o.adbin, o.adrelid)"),
        new("trigger", "pg_trigger", "pg_catalog.pg_trigger o JOIN pg_catalog.pg_class c ON c.oid = o.tgrelid", "o.tgrelid",
            "o.tgname",
            "pg_catalog.pg_get_triggerdef(o.oid)"),
        new("function", "pg_proc", "pg_catalog.pg_proc o JOIN pg_catalog.pg_language l ON l.oid = o.prolang AND o.oid >= 16384 "
            + "AND o.prokind <> 'a'", "0",
            "o.proname", "pg_catalog.pg_get_functiondef(o.oid)"),
        // Every class of initdb is valid by its access method's own rules (the regression test amvalidate of PostgreSQL asks just that).
        new("operator class", "pg_opclass", "pg_catalog.pg_opclass o JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod AND o.oid < 16384", "0",
            "o.opcname", "CASE WHEN pg_catalog.amvalidate(o.oid) THEN '' END"),
        new("partition key", "pg_partitioned_table", "pg_catalog.pg_partitioned_table o JOIN pg_catalog.pg_class c ON c.oid = "
            + "o.partrelid", "o.partrelid",
            "c.relname", "pg_catalog.pg_get_partkeydef(o.partrelid)"),
        new("partition bound", "pg_class", "pg_catalog.pg_class o JOIN pg_catalog.pg_inherits i ON i.inhrelid = o.oid AND "
            + "o.relpartbound IS NOT NULL", "o.oid",
            "o.relname", "pg_catalog.pg_get_expr(o.relpartbound, o.oid)"),
        new("policy", "pg_policy", "pg_catalog.pg_policy o JOIN pg_catalog.pg_class c ON c.oid = o.polrelid", "o.polrelid",
            "o.polname",
            "coalesce(pg_catalog.pg_get_expr(o.polqual, o.polrelid), '') || coalesce(pg_catalog.pg_get_expr(o.polwithcheck, "
                + "o.polrelid), '')"),
        new("extended statistics", "pg_statistic_ext", "pg_catalog.pg_statistic_ext o JOIN pg_catalog.pg_class c ON c.oid = "
            + "o.stxrelid", "o.stxrelid", "o.stxname",
            "pg_catalog.pg_get_statisticsobjdef(o.oid)"),
        // Without the output functions of the values' types: only what every reader of statistics looks at first.
        new("statistics", "pg_statistic", "pg_catalog.pg_statistic o JOIN pg_catalog.pg_attribute a ON a.attrelid = o.starelid "
            + "AND a.attnum = o.staattnum", "o.starelid",
            "a.attname", "CASE WHEN " + string.Join(" OR ", Enumerable.Range(1, 5).Select(Slot))
                + " THEN NULL ELSE '' END") { Fault = Faults.StatisticsCorrupt },
    ];

    /// <summary>Values of one slot: an array of one dimension; of most common values (kind 1) as many as frequencies, which add
    /// up to 1 at most.</summary>
    private static string Slot(int slot) =>
        $"(o.stavalues{slot} IS NOT NULL AND pg_catalog.array_ndims(o.stavalues{slot}) IS DISTINCT FROM 1 AND "
            + $"pg_catalog.array_ndims(o.stavalues{slot}) IS NOT NULL) "
        + $"OR (o.stakind{slot} = 1 AND (pg_catalog.array_length(o.stavalues{slot}, 1) IS DISTINCT FROM "
            + $"pg_catalog.array_length(o.stanumbers{slot}, 1) "
        + $"OR (SELECT pg_catalog.sum(f) FROM pg_catalog.unnest(o.stanumbers{slot}) f) NOT BETWEEN 0 AND 1.01))";
}
