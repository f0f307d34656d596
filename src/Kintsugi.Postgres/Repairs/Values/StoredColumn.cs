using Kintsugi.Pages.Heap;

namespace Kintsugi.Postgres.Repairs.Values;

/// <summary>A column of a table as it lies in its tuples.</summary>
internal sealed record StoredColumn(string Name, HeapColumn Physical, bool Generated)
{
    private const string Sql =
        "SELECT attname::pg_catalog.text, attlen, attalign::pg_catalog.text, atttypid, attgenerated <> '', attnum FROM pg_catalog.pg_attribute "
        + "WHERE attrelid = $1 AND attnum > 0 ORDER BY attnum";

    /// <returns>All columns, dropped ones too; null where the catalog has lost one.</returns>
    public static async ValueTask<IReadOnlyList<StoredColumn>?> Of(Relation table, IReadSession session, CancellationToken cancellationToken)
    {
        var all = await session.Rows(Sql, row => (Column: new StoredColumn(row.GetString(0),
            new HeapColumn(row.GetInt16(1), HeapColumn.AlignmentOf(row.GetString(2)[0]), row.GetFieldValue<uint>(3)), row.GetBoolean(4)),
            Number: row.GetInt16(5)), cancellationToken, table.Oid);
        return all.Select((column, at) => column.Number == at + 1).All(inPlace => inPlace) ? [.. all.Select(column => column.Column)] : null;
    }
}
