using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Operating;

/// <summary>DROP INDEX CONCURRENTLY of an index that is still invalid and still not being built, looked at once more under the lock.</summary>
internal sealed class DropIndexStep : IStepRunner
{
    public const string Name = "drop-index";
    public string Kind => Name;

    public ValueTask<IReadOnlyDictionary<string, string>> Remember(Step step, WriteSession session, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyDictionary<string, string>>(new Dictionary<string, string>());

    public async ValueTask<StepResult> Run(StepContext context, CancellationToken cancellationToken)
    {
        var state = await context.Session.Rows("""
            SELECT i.indisvalid, EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p WHERE p.relid = i.indrelid)
            FROM pg_catalog.pg_index i WHERE i.indexrelid = pg_catalog.to_regclass($1)::pg_catalog.oid
            """, row => (Valid: row.GetBoolean(0), Building: row.GetBoolean(1)), cancellationToken, context.Step["index"]);
        if (state.Count == 0)
            return new StepResult("it was gone already");
        if (state[0].Building)
            throw new HealingException("an index is being built on that table at this moment; run again when it has ended", mayPass: true);
        if (state[0].Valid)
            throw new HealingException("it has become valid meanwhile: it is not dropped", mayPass: false);
        await context.Session.ExecuteUnbounded(context.Step.Do, TimeSpan.FromSeconds(20), cancellationToken);
        return new StepResult();
    }

    /// <summary>A DROP INDEX CONCURRENTLY that was killed leaves the index half dropped: the next run drops it again.</summary>
    public ValueTask<string?> CleanUp(
        Step step, IReadOnlyDictionary<string, string> remembered, WriteSession session, CancellationToken cancellationToken) =>
        ValueTask.FromResult<string?>(null);
}
