using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Values;

/// <summary>What foreign keys say of a row: that its parents are there, and that rows which have lost their parent may be its children.</summary>
internal static class ReferenceTestimony
{
    /// <summary>More lost keys than that are no accident of one row.</summary>
    private const int MostKeys = 100;

    public static async ValueTask<IReadOnlyList<RowTestimony>> Of(Relation table, Patient patient, CancellationToken cancellationToken)
    {
        var said = new List<RowTestimony>();
        foreach (var key in (await ForeignKeyReader.Read(patient, cancellationToken)).Where(key => key is { Declared: true, Enforced: true, Validated: true, Period: false }))
        {
            if (key.Child.Oid == table.Oid)
                said.Add(new RowTestimony($"foreign key {key.Name}", $"NOT ({key.Violation})", key.Columns.ToHashSet(), CallsOthers: false) { IsIndependent = true });
            if (key.ParentHeaps.Any(heap => heap.Oid == table.Oid) && key.Columns.Count == 1
                && await Lost(key, patient, cancellationToken) is { Count: > 0 and <= MostKeys } lost)
                said.Add(new RowTestimony($"orphans of {key.Name}",
                    $"pg_catalog.format('%s', {Quote.Identifier(table.Name)}.{Quote.Identifier(key.ParentColumns[0])}) IN ({string.Join(", ", lost.Select(Quote.Literal))})",
                    new HashSet<string> { key.ParentColumns[0] }, CallsOthers: false) { IsIndependent = true, IsMild = true });
        }
        return said;
    }

    /// <summary>Keys that rows refer to and no parent has, as text.</summary>
    private static ValueTask<IReadOnlyList<string>> Lost(ForeignKey key, Patient patient, CancellationToken cancellationToken) =>
        patient.Session.InTransaction(Evidence.Settings(null), session => session.Rows(
            $"SELECT DISTINCT pg_catalog.format('%s', {Quote.Identifier(key.Child.Name)}.{Quote.Identifier(key.Columns[0])}) "
            + $"FROM ONLY {Quote.Name(key.Child)} WHERE {key.Violation} LIMIT {MostKeys + 1}", row => row.GetString(0), cancellationToken), cancellationToken);
}
