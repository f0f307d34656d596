namespace Kintsugi.Hosting;

/// <summary>
/// The patient's backend behind a session, by a name that outlives the session: whoever follows a node that fell silent ends its backend before the same is
/// read again, for the limit of sessions holds in sum.
/// </summary>
internal static class Backend
{
    private const string Name = "pg_catalog.concat_ws(' ', a.pid, a.backend_start)";

    public static async ValueTask<string> Of(IReadSession session, CancellationToken cancellationToken) => (await session.Rows(
        $"SELECT {Name} FROM pg_catalog.pg_stat_activity a WHERE a.pid = pg_catalog.pg_backend_pid()", row => row.GetString(0), cancellationToken))[0];

    /// <summary>Ends that backend and waits until it is gone: no statement of ours lasts longer than its limit.</summary>
    public static async ValueTask AwaitEnd(string? backend, IReadSession session, TimeProvider clock, CancellationToken cancellationToken)
    {
        while (!await IsGone(backend, session, cancellationToken))
            await Task.Delay(TimeSpan.FromMilliseconds(200), clock, cancellationToken);
    }

    /// <summary>Ends that backend.</summary>
    /// <returns>Whether it is gone; what is still on its way out is asked for again.</returns>
    public static async ValueTask<bool> IsGone(string? backend, IReadSession session, CancellationToken cancellationToken)
    {
        if (backend is null)
            return true;
        try
        {
            return (await session.Rows(
                $"SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity a WHERE {Name} = $1 AND a.application_name = 'kintsugi'",
                row => row.GetBoolean(0), cancellationToken, backend)).Count == 0;
        }
        catch (PatientException problem) when (problem.ConnectionLost)
        {
            // The server is away, and what ran there with it; the look that follows says so of itself.
            return true;
        }
    }
}
