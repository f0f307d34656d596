using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Operating.Stopped;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Operating.Locked;

/// <summary>
/// Operates on a server that lets nobody in because an index of its catalogs is damaged: for one step sessions ignore those indexes, the step runs in an
/// ordinary operation with both locks, and then the indexes are used again.
/// </summary>
public sealed class LockedRoom(string directory, SessionFactory factory, Capabilities server, TimeProvider clock) : IOperatingRoom
{
    /// <summary>The kind of a step that runs so.</summary>
    public const string StepKind = "rebuild-past-system-indexes";

    /// <summary>The postmaster reads its configuration at once, a session under heavy load somewhat later.</summary>
    private static readonly TimeSpan DoorLimit = TimeSpan.FromSeconds(60);

    public async ValueTask<IOperation> Enter(string database, CancellationToken cancellationToken) => new Stay(
        this, new SystemIndexes(directory), await new StoppedRoom(directory).Enter(database, cancellationToken));

    private string Directory => directory;

    private bool Runs => DataDirectory.Open(directory).ServerPid is not null;

    private OperatingRoom Room => new(factory, server, clock);

    private sealed class Stay(LockedRoom room, SystemIndexes indexes, IOperation held) : IOperation
    {
        public ValueTask<string?> Preflight(Plan plan, CancellationToken cancellationToken) => ValueTask.FromResult(room.Runs ? null
            : $"the server on {room.Directory} let nobody in, and does not run any more: start it and heal again, or heal its files (kintsugi heal -D {room.Directory})");

        public ValueTask<IReadOnlyDictionary<string, string>> Remember(Step step, CancellationToken cancellationToken) =>
            ValueTask.FromResult<IReadOnlyDictionary<string, string>>(new Dictionary<string, string> { ["line"] = indexes.OwnersLine() });

        public async ValueTask<StepResult> Run(
            Plan plan, Step step, IReadOnlyDictionary<string, string> remembered, CancellationToken cancellationToken)
        {
            await indexes.Ignore(cancellationToken);
            try
            {
                await room.AwaitDoor(step.Database!, cancellationToken);
                await using var operation = await room.Room.Enter(step.Database!, cancellationToken);
                foreach (var statement in new[] { step.Do, "CHECKPOINT" })
                    await operation.Run(plan, step with { Kind = UnboundedSqlStep.Name, Do = statement }, remembered, cancellationToken);
            }
            finally
            {
                await indexes.Use(remembered["line"], CancellationToken.None);
            }
            return new StepResult("sessions ignored system indexes for as long as it took");
        }

        public async ValueTask<string?> CleanUp(Step step, IReadOnlyDictionary<string, string> remembered, CancellationToken cancellationToken) =>
            await indexes.Use(remembered.GetValueOrDefault("line") ?? "", cancellationToken) ? "ignore_system_indexes in postgresql.auto.conf" : null;

        public ValueTask DisposeAsync() => held.DisposeAsync();
    }

    private async ValueTask AwaitDoor(string database, CancellationToken cancellationToken)
    {
        var begun = clock.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200), clock);
        while (true)
        {
            try
            {
                await using var session = await factory.OpenWrite(database, cancellationToken);
                if (await session.Value<string>("SELECT pg_catalog.current_setting('ignore_system_indexes')", cancellationToken) == "on")
                    return;
            }
            catch (PatientException gone) when (gone.ServerAway && !Runs)
            {
                throw new HealingException($"the server went away while it was let past its system indexes: {gone.Message}", mayPass: true, gone);
            }
            catch (PatientException away) when (away.ServerAway && clock.GetElapsedTime(begun) > DoorLimit)
            {
                throw new HealingException($"the server does not come up: {away.Message}", mayPass: true, away);
            }
            catch (PatientException refused) when (clock.GetElapsedTime(begun) > DoorLimit)
            {
                throw new HealingException($"nobody gets in even where system indexes are ignored, so it is not an index alone: {refused.Message}", mayPass: false, refused);
            }
            catch (PatientException)
            {
                // The reload has not reached the postmaster yet.
            }
            if (clock.GetElapsedTime(begun) > DoorLimit)
                throw new HealingException("the server does not take ignore_system_indexes from postgresql.auto.conf: it is set elsewhere, or reloading fails (see its log)",
                    mayPass: false);
            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }
}
