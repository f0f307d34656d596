using System.Data.Common;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>The columns of one table, as far as a row must be taken out and put back exactly (pg_attribute, manual 52.7).</summary>
internal sealed class TableShape
{
    private const string Sql = """
        SELECT a.attname::pg_catalog.text, a.attgenerated::pg_catalog.text, a.attidentity::pg_catalog.text, a.attnotnull,
               (WITH RECURSIVE d(type, modifier) AS (
                    SELECT a.atttypid, a.atttypmod
                    UNION ALL
                    SELECT t.typbasetype, CASE WHEN t.typtypmod >= 0 THEN t.typtypmod ELSE d.modifier END
                    FROM d JOIN pg_catalog.pg_type t ON t.oid = d.type WHERE t.typtype = 'd')
                SELECT pg_catalog.format_type(d.type, d.modifier) FROM d JOIN pg_catalog.pg_type t ON t.oid = d.type WHERE t.typtype <> 'd'),
               (SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.proname)
                FROM pg_catalog.pg_type t JOIN pg_catalog.pg_proc p ON p.oid = t.typsend JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
                WHERE t.oid = a.atttypid),
               coalesce((SELECT true FROM pg_catalog.pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary
                         AND a.attnum = ANY (i.indkey::pg_catalog.int2[])), false),
               a.attnum, a.attrelid,
               coalesce((WITH RECURSIVE d(type) AS (
                    SELECT a.atttypid
                    UNION ALL
                    SELECT t.typbasetype FROM d JOIN pg_catalog.pg_type t ON t.oid = d.type WHERE t.typtype = 'd')
                SELECT t.typtype IN ('b', 'e', 'r', 'm') AND t.typarray <> 0 AND t.typdelim = ',' AND t.typelem = 0
                FROM d JOIN pg_catalog.pg_type t ON t.oid = d.type WHERE t.typtype <> 'd'), false)
        FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = pg_catalog.to_regclass($1)::pg_catalog.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> 'v'
        ORDER BY a.attnum
        """;

    private TableShape(TableName table, IReadOnlyList<TableColumn> columns)
    {
        Table = table;
        Columns = columns;
    }

    public TableName Table { get; }

    /// <summary>pg_class.oid; 0 of a table without columns.</summary>
    public uint Oid => Columns.Count == 0 ? 0 : Columns[0].Table;

    /// <summary>In the table's order; virtual generated columns are not stored and are left out.</summary>
    public IReadOnlyList<TableColumn> Columns { get; }
    public IEnumerable<TableColumn> Key => Columns.Where(column => column.InKey);

    public static async ValueTask<TableShape> Read(TableName table, IReadSession session, CancellationToken cancellationToken) =>
        new(table, await session.Rows(Sql, row => Column(row, table), cancellationToken, table.Quoted));

    /// <exception cref="HealingException">It was dropped or renamed since it was looked at.</exception>
    public static async ValueTask<TableShape> Read(TableName table, WriteSession session, CancellationToken cancellationToken)
    {
        var columns = await session.Rows(Sql, row => Column(row, table), cancellationToken, table.Quoted);
        return columns.Count > 0 ? new(table, columns)
            : throw new HealingException($"there is no table {table.Quoted} any more: it was dropped or renamed since the plan was made", mayPass: false);
    }

    /// <summary>
    /// SHA-256 over every column's binary form: with ctid and xmin it says that a row is, byte for byte, the one that was looked at.
    /// A row's text form would lose differences.
    /// </summary>
    public string Hash => $"pg_catalog.encode(pg_catalog.sha256({string.Join(" || ", Columns.Select(column => column.Framed))}), 'hex')";

    private static TableColumn Column(DbDataReader row, TableName table) => new()
    {
        Name = row.GetString(0),
        Generated = row.GetString(1).Length > 0,
        AlwaysIdentity = row.GetString(2) == "a",
        NotNull = row.GetBoolean(3),
        InputType = row.IsDBNull(4) ? "pg_catalog.text" : row.GetString(4),
        SendFunction = row.IsDBNull(5) ? null : row.GetString(5),
        InKey = row.GetBoolean(6),
        Number = row.GetInt16(7),
        Table = row.GetFieldValue<uint>(8),
        Listable = row.GetBoolean(9),
        Reference = $"{table.Row}.{Quote.Identifier(row.GetString(0))}",
    };
}

/// <summary>One stored column.</summary>
internal sealed record TableColumn
{
    public required string Name { get; init; }

    /// <summary>pg_attribute.attnum: it stays when the column is renamed, and is never given again.</summary>
    public short Number { get; init; }
    public uint Table { get; init; }

    /// <summary>An array of it is written with commas and cannot be mistaken for one of more dimensions.</summary>
    public bool Listable { get; init; }
    public required string Reference { get; init; }

    /// <summary>The type that its text is read as; of a domain the type below, for a value may break the domain's own check.</summary>
    public required string InputType { get; init; }

    /// <summary>pg_type.typsend, quoted; null for the few types without a binary form.</summary>
    public string? SendFunction { get; init; }
    public bool Generated { get; init; }
    public bool AlwaysIdentity { get; init; }
    public bool NotNull { get; init; }
    public bool InKey { get; init; }

    /// <summary>
    /// The type's own output as bytes: format and not a cast to text, because casts may alter (char(n) loses its blanks). num_nulls and not
    /// IS NULL, because a composite of nulls IS NULL without being null, and because the planner believes NOT NULL (17+).
    /// </summary>
    public string Output => Unless(Reference, $"pg_catalog.textsend(pg_catalog.format('%s', {Reference}))");

    /// <summary>The binary form of that column, or of another expression of its type.</summary>
    public string Send(string value) => Unless(value, SendFunction is null
        ? $"pg_catalog.textsend(pg_catalog.format('%s', {value}))" : $"{SendFunction}({value})");

    /// <summary>Its binary form with its length in front, so that neighbours cannot be mistaken for each other.</summary>
    public string Framed =>
        $"coalesce(pg_catalog.int4send(pg_catalog.octet_length({Send(Reference)})) || {Send(Reference)}, '\\xffffffff'::pg_catalog.bytea)";

    private static string Unless(string value, string then) => $"CASE WHEN pg_catalog.num_nulls({value}) = 1 THEN NULL ELSE {then} END";
}

/// <summary>A table by schema and name, with its owner.</summary>
internal sealed record TableName(string Schema, string Name, string Owner)
{
    public string Quoted => Quote.Name(Schema, Name);

    /// <summary>How a row of it is called in a statement without alias.</summary>
    public string Row => Quote.Identifier(Name);

    /// <summary>The table alone, without the tables that inherit from it.</summary>
    public string From => $"ONLY {Quoted}";

    /// <summary>
    /// The rows at the places in $1 under that alias, behind a fence: where a unique index promises the planner one row of each key, a join stops at
    /// the first that fits, and where the promise is broken it would hide the second.
    /// </summary>
    public string Placed(string alias) =>
        $"(SELECT ctid, * FROM {From} WHERE ctid = ANY ($1::pg_catalog.text[]::pg_catalog.tid[]) OFFSET 0) AS {alias}";

    public static TableName Of(Relation relation) => new(relation.Schema, relation.Name, relation.Owner);
}
