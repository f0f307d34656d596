namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>Which system catalogs this server has, with which columns and unique keys: asked, never assumed from its version.</summary>
internal sealed class CatalogShape
{
    private const string Sql = """
        SELECT c.relname::pg_catalog.text, c.relisshared, a.attname::pg_catalog.text, t.typname::pg_catalog.text
        FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
        WHERE c.relnamespace = 11 AND c.relkind = 'r' AND c.oid < 16384
        ORDER BY c.relname, a.attnum
        """;

    private const string KeySql = """
        SELECT c.relname::pg_catalog.text, x.relname::pg_catalog.text, pg_catalog.array_agg(a.attname::pg_catalog.text
            ORDER BY k.place), i.indisunique
        FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_class c ON c.oid = i.indrelid AND c.relnamespace = 11 AND c.oid < 16384
        JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
        CROSS JOIN LATERAL pg_catalog.unnest(i.indkey) WITH ORDINALITY k(attnum, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE c.relkind = 'r' AND i.indislive
        GROUP BY c.relname, x.relname, i.indisunique
        ORDER BY c.relname, x.relname
        """;

    /// <summary>Catalogs whose rows belong to one relation, and the column that says which.</summary>
    private static readonly Dictionary<string, string> RelationColumns = new Dictionary<string, string>
    {
        ["pg_class"] = "f.oid",
        ["pg_attribute"] = "f.attrelid",
        ["pg_attrdef"] = "f.adrelid",
        ["pg_constraint"] = "f.conrelid",
        ["pg_foreign_table"] = "f.ftrelid",
        // The table: where the index has no row in pg_class, its name is lost.
        ["pg_index"] = "(SELECT coalesce(pg_catalog.max(x.oid), f.indrelid) FROM pg_catalog.pg_class x WHERE x.oid = "
            + "f.indexrelid)",
        ["pg_inherits"] = "f.inhrelid",
        ["pg_partitioned_table"] = "f.partrelid",
        ["pg_policy"] = "f.polrelid",
        ["pg_publication_rel"] = "f.prrelid",
        ["pg_rewrite"] = "f.ev_class",
        ["pg_sequence"] = "f.seqrelid",
        ["pg_statistic"] = "f.starelid",
        ["pg_statistic_ext"] = "f.stxrelid",
        ["pg_subscription_rel"] = "f.srrelid",
        ["pg_trigger"] = "f.tgrelid",
        ["pg_type"] = "f.typrelid",
    };

    private readonly Dictionary<string, List<(string Name, string Type)>> columns = [];
    private readonly HashSet<string> shared = [];

    private CatalogShape(int major) => Major = major;

    public int Major { get; }
    public IReadOnlyList<CatalogKey> Keys { get; private set; } = [];

    public static async ValueTask<CatalogShape> Read(Patient patient, CancellationToken cancellationToken)
    {
        var shape = new CatalogShape(patient.Can.Major);
        foreach (var (catalog, isShared, column, type) in await patient.Session.Rows(Sql,
            row => (row.GetString(0), row.GetBoolean(1), row.GetString(2), row.GetString(3)), cancellationToken))
        {
            if (!shape.columns.TryGetValue(catalog, out var list))
                shape.columns[catalog] = list = [];
            list.Add((column, type));
            if (isShared)
                shape.shared.Add(catalog);
        }
        shape.Keys = await patient.Session.Rows(KeySql,
            row => new CatalogKey(row.GetString(0), row.GetString(1), row.GetFieldValue<string[]>(2), row.GetBoolean(3)),
                cancellationToken);
        return shape;
    }

    public IEnumerable<string> Catalogs => columns.Keys;

    public bool Has(string catalog) => columns.ContainsKey(catalog);

    public bool Has(string catalog, string column) => columns.TryGetValue(catalog, out var list) && list.Exists(known =>
        known.Name == column);

    /// <summary>One copy for the whole cluster (pg_class.relisshared).</summary>
    public bool IsShared(string catalog) => shared.Contains(catalog);

    /// <summary>The OID of the user's relation that a row <c>f</c> of that catalog is about, as SQL; the catalog's own zero where
    /// there is none.</summary>
    public static string RelationOf(string catalog) => RelationColumns.TryGetValue(catalog, out var sql) ? sql
        : "0::pg_catalog.oid";

    /// <summary>What a person calls the row <c>f</c>: its first column of type name, else its OID, else its place.</summary>
    public string LabelOf(string catalog)
    {
        var list = columns[catalog];
        var name = list.Find(column => column.Type == "name").Name ?? list.Find(column => column.Name == "oid").Name ?? "ctid";
        return $"f.{name}::pg_catalog.text";
    }
}

/// <summary>An index of a system catalog and the columns that it orders.</summary>
internal sealed record CatalogKey(string Catalog, string Index, IReadOnlyList<string> Columns, bool Unique);
