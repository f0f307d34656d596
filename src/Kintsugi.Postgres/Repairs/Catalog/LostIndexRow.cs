using System.Globalization;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Catalog;

/// <summary>
/// The pg_class row of an index is gone, and every query on its table fails. pg_index, pg_attribute and pg_opclass still say what it was: the
/// row is put back with the same OID, and the index is rebuilt from its table into a new file.
/// </summary>
internal static class LostIndexRow
{
    private sealed record Known(string Schema, string Table, string Name, uint Namespace, uint Owner, uint Method, short Columns, string Persistence, bool Partition);

    private const string Sql = """
        SELECT n.nspname::pg_catalog.text, t.relname::pg_catalog.text,
               coalesce((SELECT k.conname::pg_catalog.text FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x') LIMIT 1),
                 pg_catalog.left(t.relname::pg_catalog.text || '_' || coalesce((SELECT pg_catalog.string_agg(a.attname::pg_catalog.text, '_' ORDER BY a.attnum)
                   FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indexrelid AND a.attnum > 0), 'expr'), 50)
                 || CASE WHEN i.indisunique THEN '_key' ELSE '_idx' END),
               n.oid, t.relowner, o.opcmethod, i.indnatts, t.relpersistence::pg_catalog.text,
               EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhrelid = i.indexrelid)
        FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
        JOIN pg_catalog.pg_opclass o ON o.oid = (i.indclass::pg_catalog.oid[])[0]
        WHERE i.indexrelid = $1 AND t.relkind IN ('r', 'm', 't')
          AND (SELECT count(*) FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indexrelid AND a.attnum > 0) = i.indnatts
        """;

    public static async ValueTask<CatalogMend?> Mend(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (CatalogRepair.Missing(healing, "pg_class") is not (not 0 and var oid))
            return null;
        var found = await patient.Session.Rows(Sql, row => new Known(row.GetString(0), row.GetString(1), row.GetString(2), row.GetFieldValue<uint>(3),
            row.GetFieldValue<uint>(4), row.GetFieldValue<uint>(5), row.GetInt16(6), row.GetString(7), row.GetBoolean(8)), cancellationToken, oid);
        if (found is not [var index])
            return new CatalogMend.Unknown($"relation {oid} has lost its row in pg_class, and it was no index of which pg_index and pg_attribute know enough");
        if (patient.Relations.Find(index.Schema, index.Name) is not null)
            index = index with { Name = string.Create(CultureInfo.InvariantCulture, $"{index.Name}_{oid}") };
        // Any other index lends its row for what every index has alike; columns differ between versions.
        var fields = string.Create(CultureInfo.InvariantCulture, $$"""
            {"oid": {{oid}}, "relnamespace": {{index.Namespace}}, "relowner": {{index.Owner}}, "relam": {{index.Method}}, "relfilenode": {{oid}},
             "reltablespace": 0, "relpages": 0, "reltuples": 0, "relallvisible": 0, "relallfrozen": 0, "reltoastrelid": 0, "relhasindex": false,
             "relisshared": false, "relpersistence": "{{index.Persistence}}", "relkind": "i", "relnatts": {{index.Columns}}, "relchecks": 0,
             "relispartition": {{(index.Partition ? "true" : "false")}}, "relrewrite": 0, "reloptions": null}
            """);
        var sql = $"""
            INSERT INTO pg_catalog.pg_class
            SELECT (pg_catalog.jsonb_populate_record(c, {Quote.Literal(fields)}::pg_catalog.jsonb
                    || pg_catalog.jsonb_build_object('relname', {Quote.Literal(index.Name)}))).*
            FROM pg_catalog.pg_class c WHERE c.oid = 'pg_catalog.pg_am_name_index'::pg_catalog.regclass
            """;
        return new CatalogMend.Of(
            [
                CatalogMend.Edit(healing, "pg_class", $"oid = {oid}", sql, 1, "pg_index and pg_attribute still describe the index"),
                CatalogMend.Reindex(healing, Quote.Name(index.Schema, index.Name)),
            ],
            $"The index is called {index.Name} now; its own name is lost where no constraint has it, and so are its storage parameters and tablespace.");
    }
}
