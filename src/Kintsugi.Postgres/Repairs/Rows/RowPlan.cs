using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>Cuts a selection into batches and writes the plan.</summary>
internal static class RowPlan
{
    /// <summary>
    /// A batch holds its rows and the lock on the parent as long as it takes. Where each looks through the parent once there are some ten of them; where an
    /// index tells, they are small.
    /// </summary>
    private static class Batch
    {
        public const int Parts = 10;
        public const int Least = 1_000;
        public const int Most = 10_000;
        public const int MostByIndex = 2_500;
        public const long Bytes = 16 * 1024 * 1024;
    }

    /// <param name="template">What all batches have in common; tables, rows and links are the selection's.</param>
    public static Plan Make(
        string repair, HealingCase healing, Relation table, RowSelection selection, RowBatch template, string rule, string why, RowEffects effects)
    {
        var order = ParentsFirst(selection);
        var place = order.Select((table, i) => (table, i)).ToDictionary(pair => pair.table, pair => pair.i);
        var common = template with
        {
            Tables = [.. order.Select(i => TableName.Of(selection.Tables[i]))],
            Links = [.. selection.Links.Select(link => link with { Child = place[link.Child], Parent = place[link.Parent] })],
        };
        var steps = new List<Step>();
        var batches = Batches(selection, template.IndexMayAcquit ? Batch.MostByIndex : Batch.Most).ToList();
        foreach (var rows in batches)
        {
            var batch = common with
            {
                // What is true of the whole is true after the last one.
                Proof = rows == batches[^1] ? common.Proof : "",
                Rows = [.. rows.Select(row => new BatchRow(place[row.Table], row.Place, row.Version, row.Hash, row.Fate, row.Group, row.Accused)
                {
                    Own = row.Own,
                })],
            };
            steps.Add(new Step(RowBatchStep.Name, Words(batch))
            {
                Database = healing.Database,
                Lock = batch.Locks.Count > 0 ? "Share" : "RowExclusive",
                Why = why,
                Grade = Grade.Reversible,
                Arguments = batch.ToArguments(rule),
            });
        }
        return new Plan(repair, steps)
        {
            Case = healing.Id,
            Alters = [.. selection.Tables.Where((_, i) => selection.Rows.Any(row => row.Table == i))
                .Select(relation => healing.Target with { Schema = relation.Schema, Relation = relation.Name, Object = relation.Name,
                    ObjectSchema = relation.Schema, Rule = null })],
            Snapshot = SnapshotGrade.Rows,
            RowsQuarantined = selection.Rows.Count(row => row.Fate == RowFate.Remove),
            RowsChanged = selection.Rows.Count(row => row.Fate != RowFate.Remove),
            TableRows = table.Rows,
            Warnings = effects.Warnings,
            NeedsApproval = effects.NeedsApproval,
        };
    }

    /// <summary>Tables so that none comes before one that it refers to; the accused one is always the first.</summary>
    private static IReadOnlyList<int> ParentsFirst(RowSelection selection)
    {
        var depth = new int[selection.Tables.Count];
        for (var round = 0; round < depth.Length; round++)
            foreach (var link in selection.Links.Where(link => link.Child != link.Parent && link.Child != 0))
                depth[link.Child] = Math.Max(depth[link.Child], Math.Min(depth.Length, depth[link.Parent] + 1));
        return [.. Enumerable.Range(0, depth.Length).OrderBy(i => i == 0 ? -1 : depth[i])];
    }

    /// <summary>Groups whole; the rows of a batch in the order in which they were selected, which has the referring ones after those that they refer to.</summary>
    private static IEnumerable<IReadOnlyList<Picked>> Batches(RowSelection selection, int limit)
    {
        var most = Math.Clamp(selection.Rows.Count / Batch.Parts, Batch.Least, limit);
        var batch = new List<(int Place, Picked Row)>();
        var bytes = 0L;
        foreach (var group in selection.Rows.Select((row, place) => (place, row)).GroupBy(item => item.row.Group))
        {
            var more = group.Sum(item => item.row.Bytes);
            if (batch.Count > 0 && (batch.Count + group.Count() > most || bytes + more > Batch.Bytes))
            {
                yield return Ordered();
                batch.Clear();
                bytes = 0;
            }
            batch.AddRange(group);
            bytes += more;
        }
        if (batch.Count > 0)
            yield return Ordered();

        IReadOnlyList<Picked> Ordered() => [.. batch.OrderBy(item => item.Place).Select(item => item.Row)];
    }

    private static string Words(RowBatch batch)
    {
        var parts = batch.Rows.GroupBy(row => (row.Table, row.Fate)).OrderBy(group => group.Key.Table).Select(group =>
        {
            var table = batch.Tables[group.Key.Table].Quoted;
            var rows = group.Count() == 1 ? "1 row" : $"{group.Count()} rows";
            return group.Key.Fate switch
            {
                RowFate.Remove => $"move {rows} of {table} to quarantine",
                RowFate.Set when batch.Assignments.Count == 0 => $"point {rows} of {table} at the row that stays",
                RowFate.Set => $"UPDATE {rows} of {table} SET "
                    + string.Join(", ", batch.Assignments.Select(a => $"{Quote.Identifier(a.Column)} = {a.Expression}")),
                RowFate.Move => $"UPDATE {rows} of {table} through {batch.Root}, which moves them to their partition",
                _ => $"keep {rows} of {table} whose reference the server will set",
            };
        });
        return string.Join("; ", parts.Concat(batch.First));
    }
}
