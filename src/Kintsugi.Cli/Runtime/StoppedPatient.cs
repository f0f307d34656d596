using Kintsugi.Cli.Options;
using Kintsugi.Postgres.Files.Offline;

namespace Kintsugi.Cli.Runtime;

/// <summary>`-D DIR` without a server: a stopped cluster, a snapshot, a backup, or one that does not start.</summary>
internal static class StoppedPatient
{
    /// <returns>Null when a server is to be asked: no -D, a connection named beside it, or a server that runs on that
    /// directory.</returns>
    /// <exception cref="DataDirectoryException">Nothing there that could be examined.</exception>
    public static async ValueTask<OfflineSource?> Find(
        PatientArguments arguments, double? maxRate, CliContext context, CancellationToken cancellationToken)
    {
        var request = arguments.Request;
        if (arguments.DataDirectory is not { } path || request.Host is not null || request.Port is not null
            || request.Databases.Count > 0)
            return null;
        await Shelf.StartOwedServer(context, cancellationToken);
        if (DataDirectory.Open(path).ServerPid is not null)
            return null;
        var source = await OfflineSource.Open(path, new Pace(maxRate * 1_000_000, context.Clock), cancellationToken);
        source.PageLedger = Memory.Pages(context);
        return source;
    }
}
