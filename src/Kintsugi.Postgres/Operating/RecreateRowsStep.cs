using System.Globalization;
using System.Text.Json.Nodes;
using Kintsugi.Postgres.Repairs.Rows;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Operating;

/// <summary>
/// Rows are inserted in one transaction, parents first, each compared with what was meant and written to kintsugi.quarantine as added, so that undo
/// takes it out again. As with a batch of row repairs the audit line's token tells whether it was committed.
/// </summary>
internal sealed class RecreateRowsStep : IStepRunner
{
    public const string Name = "recreate-rows";

    /// <summary>No index decides what is missing.</summary>
    private const string Looking = "SAVEPOINT kintsugi_look; SET TRANSACTION READ ONLY; "
        + "SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off";

    private readonly RowBatchStep batches = new();

    public string Kind => Name;

    public ValueTask<IReadOnlyDictionary<string, string>> Remember(Step step, WriteSession session, CancellationToken cancellationToken) =>
        batches.Remember(step, session, cancellationToken);

    public ValueTask<string?> CleanUp(
        Step step, IReadOnlyDictionary<string, string> remembered, WriteSession session, CancellationToken cancellationToken) =>
        batches.CleanUp(step, remembered, session, cancellationToken);

    public async ValueTask<StepResult> Run(StepContext context, CancellationToken cancellationToken)
    {
        var owner = await PatientSchema.Ensure(context.Session, cancellationToken);
        await context.Session.Execute("BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE", cancellationToken);
        StepResult result;
        try
        {
            result = await Insert(context, new RowJournal(context, owner), cancellationToken);
        }
        catch (Exception problem) when (context.Session.IsOpen && problem is PatientException or HealingException or OperationCanceledException)
        {
            await context.Session.Execute("ROLLBACK", CancellationToken.None);
            throw;
        }
        await context.Session.Execute("COMMIT", CancellationToken.None);
        return result;
    }

    private static async ValueTask<StepResult> Insert(StepContext context, RowJournal journal, CancellationToken cancellationToken)
    {
        var session = context.Session;
        var rows = JsonNode.Parse(context.Step["rows"])!.AsArray().Select(row => Entry(row!.AsArray(), context)).ToList();
        foreach (var table in rows.Select(row => row.Relation).Distinct())
            await session.Execute($"LOCK TABLE {table} IN SHARE MODE", cancellationToken);
        if (!await Missing(context, cancellationToken))
        {
            await journal.Audit("rows-skipped", "the parents are there by now", 0, 0, cancellationToken);
            return new StepResult("the parents are there by now: nothing was inserted");
        }
        foreach (var entry in rows)
        {
            var (shape, places) = await new RowRestoration(session, [entry]).PutBack(cancellationToken);
            var images = await session.Rows($"{RowImage.Select(shape)} WHERE {shape.Table.Row}.ctid = $1::pg_catalog.tid", RowImage.Read,
                cancellationToken, places[0]);
            await journal.Added(shape, images[0], entry.Id == 0 ? null : entry.Id, cancellationToken);
        }
        await session.Execute("SET CONSTRAINTS ALL IMMEDIATE", cancellationToken);
        if (await Missing(context, cancellationToken))
            throw new HealingException("the orphans still find no parents after these were inserted: rolled back", mayPass: false);
        await journal.Audit("rows-added", $"{context.Plan.Repair}: {context.Step.Do}", 0, rows.Count, cancellationToken);
        return new StepResult { RowsChanged = rows.Count };
    }

    private static async ValueTask<bool> Missing(StepContext context, CancellationToken cancellationToken)
    {
        await context.Session.Execute(Looking, cancellationToken);
        var rows = await context.Session.Rows(context.Step["missing"], row => row.GetInt32(0), cancellationToken);
        await context.Session.Execute("ROLLBACK TO SAVEPOINT kintsugi_look; RELEASE SAVEPOINT kintsugi_look", cancellationToken);
        return rows.Count > 0;
    }

    /// <summary>As if it came from quarantine, where some of them do lie; its id is 0 for one that does not.</summary>
    private static QuarantineEntry Entry(JsonArray row, StepContext context)
    {
        var columns = RowBatch.Strings(row[1]!);
        string?[] values = [.. row[2]!.AsArray().Select(value => value?.GetValue<string>())];
        return new QuarantineEntry(row[4] is { } id ? long.Parse(id.GetValue<string>(), CultureInfo.InvariantCulture) : 0, context.Clock.GetUtcNow(),
            context.Plan.Case, row[0]!.GetValue<string>(), "removed", context.Step["rule"], row[3]!.GetValue<string>(), columns, [], values,
            new byte[]?[columns.Length], "", [], [], null, null, null);
    }
}
