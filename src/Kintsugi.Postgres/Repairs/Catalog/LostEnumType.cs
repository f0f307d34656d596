using System.Globalization;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Catalog;

/// <summary>The row of an enum type is gone while its labels and its array type are there: it is put back with the same OID.</summary>
internal static class LostEnumType
{
    public static async ValueTask<CatalogMend?> Mend(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (CatalogRepair.Missing(healing, "pg_type") is not (not 0 and var oid))
            return null;
        var arrays = await patient.Session.Rows("""
            SELECT a.oid, a.typname::pg_catalog.text, (SELECT count(*) FROM pg_catalog.pg_enum e WHERE e.enumtypid = $1)
            FROM pg_catalog.pg_type a WHERE a.typelem = $1 AND a.typinput = 'pg_catalog.array_in'::pg_catalog.regproc
            """, row => (Oid: row.GetFieldValue<uint>(0), Name: row.GetString(1), Labels: row.GetInt64(2)), cancellationToken, oid);
        if (arrays is not [{ Labels: > 0 } array])
            return new CatalogMend.Unknown($"type {oid} is gone, and it was no enum whose labels and array type are left");
        // makeArrayTypeName: an underscore before the name, cut at the end where that is too long (src/backend/catalog/pg_type.c).
        var name = array.Name.TrimStart('_');
        if (array.Name.Length >= 63 || name.Length == 0)
            return new CatalogMend.Unknown($"type {oid} is gone, and its name cannot be told from that of its array type {array.Name}");
        var fields = string.Create(CultureInfo.InvariantCulture, $$"""
            {"oid": {{oid}}, "typlen": 4, "typbyval": true, "typtype": "e", "typcategory": "E", "typispreferred": false, "typisdefined": true,
             "typrelid": 0, "typsubscript": "-", "typelem": 0, "typarray": {{array.Oid}}, "typinput": "pg_catalog.enum_in",
             "typoutput": "pg_catalog.enum_out", "typreceive": "pg_catalog.enum_recv", "typsend": "pg_catalog.enum_send", "typmodin": "-",
             "typmodout": "-", "typanalyze": "-", "typalign": "i", "typstorage": "p", "typcollation": 0, "typdefault": null}
            """);
        var sql = $"""
            INSERT INTO pg_catalog.pg_type
            SELECT (pg_catalog.jsonb_populate_record(a, {Quote.Literal(fields)}::pg_catalog.jsonb
                    || pg_catalog.jsonb_build_object('typname', {Quote.Literal(name)}))).*
            FROM pg_catalog.pg_type a WHERE a.oid = {array.Oid}
            """;
        return new CatalogMend.Of(
            [CatalogMend.Edit(healing, "pg_type", $"oid = {oid}", sql, 1, $"{array.Labels} labels and the array type {array.Name} still name it")],
            $"The type is called {name} again, after its array type; privileges that were granted on it alone are not known any more.");
    }
}
