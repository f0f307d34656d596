using System.Globalization;
using System.Text.Json.Nodes;
using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Repairs.Rows.Parents;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Catalog;

/// <summary>
/// Columns without their row in pg_attribute, and every query on the table fails. No command deletes such a row while the table is there (DROP COLUMN keeps it and
/// marks it), so the last version of it that still lies on a page of pg_attribute is the row: it is put back as it was.
/// </summary>
internal static class LostAttribute
{
    private const string Catalog = "pg_attribute";

    /// <summary>A relation that lost more of them has lost a page of the catalog.</summary>
    private const int Most = 1600;

    internal sealed record Lost(uint Relation, int Number);

    public static async ValueTask<CatalogMend?> Mend(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        var lost = healing.Findings.Select(finding => finding.Facts.GetValueOrDefault("cause")).OfType<string>().Select(Named).OfType<Lost>().Distinct().ToList();
        if (lost.Count is 0 or > Most)
            return null;
        using var search = await PageSearch.Of(patient, cancellationToken);
        if (search is null || patient.Relations.Find("pg_catalog", Catalog) is not { } catalog)
            return Unknown("the pages of pg_attribute cannot be read from here", lost);
        var stored = await StoredRow.Of(catalog, patient.Session, cancellationToken);
        var versions = await Versions(catalog, stored, search, lost, cancellationToken);
        // A page that had no room left is tidied by whoever reads it next; the WAL may still have it as it was.
        if (patient.Files?.Directory is { } directory && lost.Exists(column => !versions.ContainsKey(column)))
            foreach (var (column, version) in await LoggedRows.Deleted(directory, catalog, patient, tuple => KeyOf(stored, tuple) is { } key && lost.Contains(key) ? key : null, cancellationToken))
                versions.TryAdd(column, [version]);
        var endings = new Endings(patient.Session);
        var steps = new List<Step>();
        foreach (var column in lost)
        {
            var last = new List<(Tid Tid, byte[] Tuple)>();
            foreach (var version in versions.GetValueOrDefault(column, []))
                if (await IsLast(version.Tid, version.Tuple, endings, cancellationToken))
                    last.Add(version);
            if (last is not [var (tid, tuple)])
                return Unknown($"{last.Count} deleted versions of the row of column {column.Number} lie on the pages of pg_attribute or in the WAL, one was wanted", lost);
            var (names, values, obstacle) = await stored.Read(tuple, patient.Can.Major, new ToastedValues(null, search), cancellationToken);
            if (obstacle is not null)
                return Unknown($"the deleted row of column {column.Number} at {tid}: {obstacle}", lost);
            var row = names.Zip(values).Where(pair => pair.Second is not null).ToDictionary(pair => pair.First, pair => pair.Second!);
            if (await Contradiction(column, row, patient.Session, cancellationToken) is { } against)
                return Unknown($"the deleted row of column {column.Number} at {tid}: {against}", lost);
            steps.Add(Insert(healing, column, row, tid));
        }
        return new CatalogMend.Of(steps, "The rows of the table are not touched: they can be read again as soon as their columns are known.");
    }

    /// <summary>Of a cause "pg_attribute (123,4)".</summary>
    private static Lost? Named(string cause) =>
        cause.StartsWith($"{Catalog} (", StringComparison.Ordinal) && cause[(Catalog.Length + 2)..^1].Split(',') is [var oid, var number]
        && uint.TryParse(oid, CultureInfo.InvariantCulture, out var relation) && int.TryParse(number, CultureInfo.InvariantCulture, out var column) && column > 0
            ? new Lost(relation, column) : null;

    private static async ValueTask<Dictionary<Lost, List<(Tid Tid, byte[] Tuple)>>> Versions(
        Relation catalog, StoredRow stored, PageSearch search, List<Lost> lost, CancellationToken cancellationToken)
    {
        var found = new Dictionary<Lost, List<(Tid, byte[])>>();
        await search.Tuples(catalog, (tuple, tid) =>
        {
            var copy = tuple.ToArray();
            if (KeyOf(stored, copy) is { } column && lost.Contains(column))
                (found.TryGetValue(column, out var list) ? list : found[column] = []).Add((tid, copy));
        }, cancellationToken);
        return found;
    }

    private static Lost? KeyOf(StoredRow stored, byte[] tuple) => stored.ReadInRow(tuple, ["attrelid", "attnum"]) is [{ } relation, { } number]
        ? new Lost(uint.Parse(relation, CultureInfo.InvariantCulture), int.Parse(number, CultureInfo.InvariantCulture)) : null;

    /// <summary>It was the row until it was deleted: written for good, deleted for good, and not replaced by a newer one.</summary>
    private static async ValueTask<bool> IsLast(Tid tid, byte[] tuple, Endings endings, CancellationToken cancellationToken)
    {
        var head = HeapTupleHeader.Read(tuple);
        return head is { IsMoved: false, IsSpeculative: false, XmaxInvalid: false, IsLockedOnly: false, XmaxIsMulti: false, IsMovedToOtherPartition: false } && head.Ctid == tid
            && (head.IsFrozen || head.XminCommitted || await endings.Of(head.Xmin, cancellationToken) == "committed")
            && (head.XmaxCommitted || await endings.Of(head.Xmax, cancellationToken) == "committed");
    }

    /// <summary>What else is known of the column: its type, and that its name and number are free.</summary>
    private static async ValueTask<string?> Contradiction(
        Lost column, Dictionary<string, string> row, IReadSession session, CancellationToken cancellationToken)
    {
        var dropped = row["attisdropped"] == "t";
        var (relation, taken, type) = (await session.Rows("""
            SELECT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = $1 AND c.relnatts >= $2),
                   EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1 AND (a.attnum = $2 OR a.attname::pg_catalog.text = $3)),
                   EXISTS (SELECT FROM pg_catalog.pg_type t WHERE t.oid = $4 AND t.typlen = $5 AND t.typbyval = $6 AND t.typalign::pg_catalog.text = $7)
            """, found => (found.GetBoolean(0), found.GetBoolean(1), found.GetBoolean(2)), cancellationToken, column.Relation, column.Number, row["attname"],
            uint.Parse(row["atttypid"], CultureInfo.InvariantCulture), int.Parse(row["attlen"], CultureInfo.InvariantCulture), row["attbyval"] == "t", row["attalign"]))[0];
        return !relation ? "its relation is gone, or has fewer columns" : taken ? "its name or its number is taken"
            : !type && !dropped ? $"there is no type {row["atttypid"]} of its length, alignment and passing" : null;
    }

    private static Step Insert(HealingCase healing, Lost column, Dictionary<string, string> row, Tid tid)
    {
        var fields = new JsonObject(row.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)JsonValue.Create(pair.Value))));
        // The row that lends what is NULL in the lost one: privileges, options, a missing value.
        var sql = $"""
            INSERT INTO pg_catalog.pg_attribute SELECT (pg_catalog.jsonb_populate_record(a, {Quote.Literal(fields.ToJsonString())}::pg_catalog.jsonb)).*
            FROM pg_catalog.pg_attribute a WHERE a.attrelid = 'pg_catalog.pg_attribute'::pg_catalog.regclass AND a.attnum = 1
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute b WHERE b.attrelid = {column.Relation} AND b.attnum = {column.Number})
            """;
        return CatalogMend.Edit(healing, Catalog, $"attrelid = {column.Relation} AND attnum = {column.Number}", sql, 1,
            $"the row of column {row["attname"]} still lies at {tid} of pg_attribute, deleted; no command deletes it while its table is there");
    }

    private static CatalogMend.Unknown Unknown(string why, List<Lost> lost)
    {
        var rows = string.Join(" OR ", lost.Take(8).Select(column => $"(attrelid = {column.Relation} AND attnum = {column.Number})"));
        return new CatalogMend.Unknown($"{why}. The row cannot be told from the other catalogs, which do not keep a column's name and type. By hand, with a snapshot of the cluster "
            + $"first: restore an older copy of this cluster beside it, SELECT * FROM pg_catalog.pg_attribute WHERE {rows}, and INSERT that row here (superuser): loses nothing when "
            + "the column was not altered since. Or bring the table back from a dump: loses what was written since");
    }
}
