namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>
/// Which column of a table each value of a kept row belongs to now: by the column's number, which a rename leaves alone; by its name where the
/// numbers were not kept, or the table is another one by now (a restored dump counts its columns anew).
/// </summary>
internal sealed class KeptColumns(QuarantineEntry entry, TableShape shape)
{
    private bool ByNumber => entry.Numbers.Count == entry.Columns.Count && entry.RelationOid == shape.Oid;

    /// <returns>Null where the column is gone.</returns>
    public TableColumn? this[int at] => shape.Columns.FirstOrDefault(column =>
        ByNumber ? column.Number == entry.Numbers[at] : column.Name == entry.Columns[at]);

    /// <summary>Where the kept row holds that column's value; negative where it knows no such column.</summary>
    public int IndexOf(TableColumn column) => ByNumber
        ? entry.Numbers.TakeWhile(number => number != column.Number).Count() is var at && at < entry.Numbers.Count ? at : -1
        : entry.Columns.ToList().IndexOf(column.Name);

    /// <summary>Columns that have another type now, for people; empty where none of those has.</summary>
    public string Retyped(IEnumerable<TableColumn> columns) => string.Join("; ", columns.Where(column => IndexOf(column) is >= 0 and var at
        && entry.Types.Count > at && entry.Types[at] != column.InputType)
        .Select(column => $"column {column.Name} is of type {column.InputType} now and was of type {entry.Types[IndexOf(column)]} when the row was put away"));
}
