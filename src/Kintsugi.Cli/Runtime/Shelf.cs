using Kintsugi.Configuration;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Postgres.Snapshots;
using Kintsugi.State;

namespace Kintsugi.Cli.Runtime;

/// <summary>Where snapshots are kept and how they are taken, as the owner's file says.</summary>
internal static class Shelf
{
    public static SnapshotStore Open(KintsugiConfiguration configuration, CliContext context) => new(
        configuration.Snapshots.Directory ?? Memory.Directory(context).Snapshots, new SnapshotStoreSettings { Rate = configuration.Snapshots.Rate }, context.Clock);

    public static SnapshotTaker Taker(KintsugiConfiguration configuration, SessionFactory factory, CliContext context)
    {
        var snapshots = configuration.Snapshots;
        return new SnapshotTaker(Open(configuration, context), factory)
        {
            Provider = ClusterProvider.From(snapshots.Command, snapshots.Provider == SnapshotProvider.StopCopyStart, snapshots.Stop, snapshots.Start,
                Memory.Directory(context).StoppedServer),
            Clock = context.Clock,
        };
    }

    /// <summary>A run that was killed while it had the server stopped for a snapshot owes it a start.</summary>
    public static async ValueTask StartOwedServer(CliContext context, CancellationToken cancellationToken)
    {
        var state = StateDirectory.Locate(null, context.Variable);
        if (await StoppedServer.StartOwed(Path.Combine(state, StateDirectory.StoppedServerName), cancellationToken) is { } done)
            await context.Error.WriteLineAsync($"kintsugi: {done}");
    }
}
