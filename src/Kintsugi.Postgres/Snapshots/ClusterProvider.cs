namespace Kintsugi.Postgres.Snapshots;

/// <summary>How a snapshot of the whole cluster is taken.</summary>
public abstract record ClusterProvider
{
    private ClusterProvider()
    {
    }

    /// <summary>While the server runs, by the backup API.</summary>
    public sealed record Online : ClusterProvider;

    /// <summary>The server is stopped, its files are copied, and it is started again, whatever happens in between.</summary>
    /// <param name="Stop">The owner's command; null for pg_ctl.</param>
    /// <param name="Start">The owner's command; null for pg_ctl with the options that the server was last started with.</param>
    /// <param name="Journal">A file that says for as long as the server is stopped how it is started again.</param>
    public sealed record StopCopyStart(string? Stop, string? Start, string Journal) : ClusterProvider;

    /// <summary>The owner's command, for storage that takes its own snapshots; {id}, {case}, {directory}, {server} and {port} are filled in.</summary>
    public sealed record Command(string Text) : ClusterProvider;

    /// <summary>As the owner's file says: a command, or a stop and a start, or neither.</summary>
    public static ClusterProvider From(string? command, bool stops, string? stop, string? start, string journal) =>
        command is not null ? new Command(command) : stops ? new StopCopyStart(stop, start, journal) : new Online();
}
