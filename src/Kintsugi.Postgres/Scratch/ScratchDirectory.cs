namespace Kintsugi.Postgres.Scratch;

/// <summary>
/// Makes a laid-out copy fit to be started alone: nothing in it may lead, write or speak to the living cluster.
/// </summary>
internal sealed class ScratchDirectory(string data)
{
    /// <summary>Names the socket only: nothing listens on the network.</summary>
    public const int Port = 5432;

    private const string OwnHba = "scratch-hba.conf", SocketsSetting = "unix_socket_directories = ", SocketsPrefix = "kintsugi-socket-";
    private static readonly string[] SignalFiles = ["standby.signal", "recovery.signal", "recovery.conf", "postmaster.pid",
        "tablespace_map"];

    public string Root { get; } = Path.GetDirectoryName(Path.GetFullPath(data))!;
    public string Configuration => Path.Combine(Root, "scratch.conf");

    /// <exception cref="HealingException">A server on this copy would write to the files behind that link.</exception>
    public void RefuseLinksThatLeave()
    {
        var everything = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0,
            IgnoreInaccessible = false };
        foreach (var entry in new DirectoryInfo(data).EnumerateFileSystemInfos("*", everything))
            if (entry.LinkTarget is not null
                && entry.ResolveLinkTarget(returnFinalTarget: true)?.FullName.StartsWith(Root + "/",
                StringComparison.Ordinal) != true)
                throw new HealingException(
                    $"the link {entry.FullName} leads out of the copy, to {entry.LinkTarget}: a server started here would write "
                        + "there. "
                    + "Lay the snapshot out again, or point the link into the copy.", mayPass: false);
    }

    /// <summary>
    /// Configuration of our own in place of the original's, whose lines may name the living data directory, archive, preload
    /// libraries and files
    /// to write.
    /// </summary>
    /// <param name="settings">More lines for the configuration.</param>
    /// <returns>The directory of the socket: short, because a socket's path may have 107 bytes.</returns>
    public string Prepare(string settings)
    {
        foreach (var name in SignalFiles)
            File.Delete(Path.Combine(data, name));
        var automatic = Path.Combine(data, "postgresql.auto.conf");
        if (File.Exists(automatic))
            File.Move(automatic, automatic + ".kept", overwrite: true);
        File.WriteAllText(automatic, "");
        var slots = Path.Combine(data, "pg_replslot");
        if (Directory.Exists(slots))
            Directory.Delete(slots, recursive: true);
        Directory.CreateDirectory(slots);
        foreach (var folder in new[] { data, slots })
            File.SetUnixFileMode(folder, (UnixFileMode)0b111_000_000);
        File.WriteAllText(Path.Combine(Root, OwnHba), "local all all trust\n");
        var sockets = Directory.CreateTempSubdirectory(SocketsPrefix).FullName;
        File.WriteAllText(Configuration, Lines(sockets) + settings);
        return sockets;
    }

    /// <summary>The directory of the socket lies elsewhere, and whoever was killed has not taken it away.</summary>
    public void RemoveSockets()
    {
        if (!File.Exists(Configuration) || File.ReadLines(Configuration).FirstOrDefault(line => line.StartsWith(SocketsSetting, StringComparison.Ordinal)) is not { } line)
            return;
        var sockets = line[SocketsSetting.Length..].Trim('\'').Replace("''", "'", StringComparison.Ordinal);
        // The account of the scratch server could have written something else there.
        if (Path.GetFileName(sockets).StartsWith(SocketsPrefix, StringComparison.Ordinal) && Path.GetDirectoryName(sockets) == Path.GetTempPath().TrimEnd('/')
            && Directory.Exists(sockets))
            Directory.Delete(sockets, recursive: true);
    }

    private string Lines(string sockets) => $"""
        data_directory = {Quoted(data)}
        hba_file = {Quoted(Path.Combine(Root, OwnHba))}
        listen_addresses = ''
        {SocketsSetting}{Quoted(sockets)}
        unix_socket_permissions = 0700
        port = {Port}
        cluster_name = 'kintsugi scratch'
        archive_mode = off
        archive_command = ''
        restore_command = ''
        primary_conninfo = ''
        max_wal_senders = 0
        max_logical_replication_workers = 0
        max_prepared_transactions = 200
        shared_preload_libraries = ''
        session_preload_libraries = ''
        local_preload_libraries = ''
        autovacuum = off
        logging_collector = off
        ssl = off
        fsync = off
        huge_pages = off
        shared_buffers = 32MB
        max_connections = 20

        """;

    private static string Quoted(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
