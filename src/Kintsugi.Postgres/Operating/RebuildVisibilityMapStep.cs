using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Operating;

/// <summary>
/// pg_truncate_visibility_map, when its lock can be had within the session's limit, then VACUUM (DISABLE_PAGE_SKIPPING). Both are logged in the
/// WAL and atomic, so that a kill leaves a map that is empty or half full, never one that lies more.
/// </summary>
internal sealed class RebuildVisibilityMapStep : IStepRunner
{
    public const string Name = "rebuild-visibility-map";
    public string Kind => Name;

    public ValueTask<IReadOnlyDictionary<string, string>> Remember(Step step, WriteSession session, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyDictionary<string, string>>(new Dictionary<string, string>());

    public async ValueTask<StepResult> Run(StepContext context, CancellationToken cancellationToken)
    {
        string? note = null;
        if (context.Step["truncate"] is { Length: > 0 } truncate)
        {
            try
            {
                await context.Session.Execute($"SELECT {truncate}($1::pg_catalog.regclass)", cancellationToken, context.Step["relation"]);
            }
            catch (PatientException busy) when (busy.SqlState == SqlStates.LockNotAvailable)
            {
                note = "the table was in use and the map was not emptied first; VACUUM cleared what lied in it page by page";
            }
        }
        await context.Session.ExecuteUnbounded(context.Step["vacuum"], TimeSpan.FromSeconds(5), cancellationToken);
        return new StepResult(note);
    }

    public ValueTask<string?> CleanUp(
        Step step, IReadOnlyDictionary<string, string> remembered, WriteSession session, CancellationToken cancellationToken) =>
        ValueTask.FromResult<string?>(null);
}
