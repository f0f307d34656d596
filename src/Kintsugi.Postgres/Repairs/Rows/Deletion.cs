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
            return batch.Rows.Where(row => row.Fate == RowFate.Remove)
                .Select(row => $"({Quote.Literal(batch.Tables[row.Table].Quoted)}, {Quote.Literal(row.Place)}, {Quote.Literal(row.Version)})");
        }).ToList();
        var purge = new Step(SqlStep.Name, $"DELETE FROM kintsugi.quarantine q WHERE q.case_id = {Quote.Literal(quarantine.Case)} AND q.kind = 'removed' "
            + $"AND q.restored_at IS NULL AND (q.relation_name, q.row_ctid, q.row_xmin) IN ({string.Join(", ", rows)})")
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
