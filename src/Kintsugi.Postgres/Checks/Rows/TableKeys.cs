namespace Kintsugi.Postgres.Checks.Rows;

/// <summary>The columns by which the application knows the rows of each table: its primary key.</summary>
internal sealed class TableKeys
{
    private const string Sql = """
        SELECT i.indrelid, (SELECT pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY k.place)
                            FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY k(number, place)
                            JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
                            WHERE k.place <= i.indnkeyatts)
        FROM pg_catalog.pg_index i WHERE i.indisprimary
        """;

    private readonly Dictionary<uint, string[]> byTable;

    private TableKeys(Dictionary<uint, string[]> byTable) => this.byTable = byTable;

    public static async ValueTask<TableKeys> Read(IReadSession session, CancellationToken cancellationToken) =>
        new((await session.Rows(Sql, row => (row.GetFieldValue<uint>(0), row.IsDBNull(1) ? [] : row.GetFieldValue<string[]>(1)),
            cancellationToken)).ToDictionary());

    /// <summary>Empty where there is no primary key.</summary>
    public IReadOnlyList<string> Of(Relation table) => byTable.GetValueOrDefault(table.Oid, []);
}
