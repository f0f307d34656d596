using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>A quarantine whose rows are kept for no time: they leave their table as into any quarantine, and then that too. Lossy.</summary>
internal static class Deletion
{
    public static Plan Of(Plan quarantine)
    {
        var rows = quarantine.Steps.SelectMany(step =>
        {
            var batch = RowBatch.From(step);
            return batch.Rows.Where(row => row.Fate == RowFate.Remove).Select(row => (Table: batch.Tables[row.Table].Quoted, row.Place, row.Version));
        }).ToList();
        // Three arrays and no list of tuples: of those each would be compared with each row.
        string[] lists = [.. new[] { rows.Select(row => row.Table), rows.Select(row => row.Place), rows.Select(row => row.Version) }
            .Select(texts => $"pg_catalog.unnest({Quote.Literal(ValueTable.Literal(texts))}::pg_catalog.text[])")];
        var purge = new Step(SqlStep.Name, $"DELETE FROM kintsugi.quarantine q WHERE q.case_id = {Quote.Literal(quarantine.Case)} AND q.kind = 'removed' "
            + $"AND q.restored_at IS NULL AND (q.relation_name, q.row_ctid, q.row_xmin) IN (SELECT r.name, r.place, r.version FROM ROWS FROM "
            + $"({string.Join(", ", lists)}) AS r(name, place, version))")
        {
            Database = quarantine.Steps[0].Database,
            Lock = "RowExclusive",
            Why = "the owner chose delete: nothing of these rows is kept",
            Grade = Grade.Lossy,
            Arguments = new Dictionary<string, string> { [SqlStep.LosesRows] = "true" },
        };
        return quarantine with
        {
            Steps = [.. quarantine.Steps, purge],
            Snapshot = SnapshotGrade.Cluster,
            RowsLost = quarantine.RowsQuarantined,
        };
    }
}
