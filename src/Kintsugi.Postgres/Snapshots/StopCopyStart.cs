using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Snapshots;

/// <summary>The brief's snapshot: the server is stopped, its files are copied, and it is started again, also when the copy fails.</summary>
internal sealed class StopCopyStart(ISnapshotShelf shelf, SessionFactory factory, Patient patient, TimeProvider clock)
{
    public async ValueTask<string> Take(SnapshotManifest manifest, ClusterProvider.StopCopyStart provider, CancellationToken cancellationToken)
    {
        var directory = patient.Files?.Directory ?? throw new HealingException(
            "The server can only be stopped and copied on its own machine: run kintsugi there as its owner or root, or use another provider of snapshots", mayPass: false);
        if (ServerKeeper.Of(directory, patient.Can) is { } keeper)
            throw new HealingException($"{keeper} looks after this server: it would start it in the middle of the copy, or fail over. Pause it and stop the server by hand, "
                + "or take snapshots by provider: copy", mayPass: false);
        if (patient.Can.InRecovery)
            throw new HealingException("this server is a standby: take the snapshot on its primary", mayPass: false);
        await patient.Session.DisposeAsync();
        var server = await StoppedServer.Stop(directory, provider, clock, cancellationToken);
        try
        {
            var stopped = patient with { Sql = null, Can = patient.Can with { ServerRuns = false } };
            return await new StoppedClusterCopy(shelf, stopped).Take(manifest, cancellationToken);
        }
        finally
        {
            await server.Start(CancellationToken.None);
            await AwaitSessions(CancellationToken.None);
        }
    }

    /// <summary>A start that was only ordered (a service manager) is waited for: the repair needs sessions.</summary>
    private async ValueTask AwaitSessions(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(250), clock);
        for (var tries = 0; ; tries++)
        {
            try
            {
                await using var session = await factory.OpenRead(null, cancellationToken);
                return;
            }
            catch (PatientException refused) when (tries >= 2400)
            {
                throw new HealingException($"the server was started after its snapshot, but lets nobody in: {refused.Message}", mayPass: true, refused);
            }
            catch (PatientException)
            {
                await timer.WaitForNextTickAsync(cancellationToken);
            }
        }
    }
}
