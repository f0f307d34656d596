namespace Kintsugi.State;

/// <summary>
/// Where Kintsugi remembers: one directory for ledger and snapshots, readable by its owner alone.
/// </summary>
public sealed class StateDirectory
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const string LedgerName = "ledger.db";
    public const string StoppedServerName = "stopped-server.json";

    private StateDirectory(string path) => Path = path;

    public string Path { get; }
    public string Ledger => System.IO.Path.Combine(Path, LedgerName);
    public string Service => System.IO.Path.Combine(Path, "service.db");
    public string Pages => System.IO.Path.Combine(Path, "pages.db");
    public string Jobs => System.IO.Path.Combine(Path, "jobs.db");

    /// <summary>How a server is started again that was stopped for a snapshot; there while it is owed.</summary>
    public string StoppedServer => System.IO.Path.Combine(Path, StoppedServerName);
    public string Snapshots => System.IO.Path.Combine(Path, "snapshots");

    /// <summary>
    /// The path that was named, else $KINTSUGI_STATE, else kintsugi in $XDG_STATE_HOME or ~/.local/state, else /var/lib/kintsugi
    /// (XDG Base Directory Specification: a relative $XDG_STATE_HOME is ignored).
    /// </summary>
    public static string Locate(string? named, Func<string, string?> environment)
    {
        if (!string.IsNullOrEmpty(named))
            return System.IO.Path.GetFullPath(named);
        if (environment("KINTSUGI_STATE") is { Length: > 0 } own)
            return System.IO.Path.GetFullPath(own);
        if (environment("XDG_STATE_HOME") is { } state && System.IO.Path.IsPathRooted(state))
            return System.IO.Path.Combine(state, "kintsugi");
        if (environment("HOME") is { } home && System.IO.Path.IsPathRooted(home))
            return System.IO.Path.Combine(home, ".local", "state", "kintsugi");
        return "/var/lib/kintsugi";
    }

    /// <summary>Makes sure that it exists, belongs to us alone and can be written.</summary>
    /// <exception cref="StateException">It cannot be made, cannot be written, or holds other people's things in the
    /// open.</exception>
    public static StateDirectory Open(string path)
    {
        var directory = new StateDirectory(path);
        try
        {
            directory.Make();
            directory.Probe();
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new StateException(
                $"the state directory {path} cannot be written: {problem.Message} "
                + "Name a directory that this user may write with $KINTSUGI_STATE, or give this one to the user that runs "
                + "kintsugi.", problem);
        }
        return directory;
    }

    private void Make()
    {
        if (!Directory.Exists(Path))
        {
            Directory.CreateDirectory(Path, OwnerOnly);
            return;
        }
        const UnixFileMode others = (UnixFileMode)0b000_111_111;
        var mode = File.GetUnixFileMode(Path);
        if ((mode & others) == 0)
            return;
        // A directory that serves other purposes (/tmp, a home) is not ours to close. What we put there is closed by itself:
        // the ledger is made 0600 and the snapshots' directory 0700.
        if (!File.Exists(Ledger) && Directory.EnumerateFileSystemEntries(Path).Any())
            return;
        File.SetUnixFileMode(Path, OwnerOnly);
    }

    private void Probe()
    {
        var probe = System.IO.Path.Combine(Path, $".probe-{Guid.NewGuid():N}");
        using (new FileStream(probe, PrivateFile.Create))
        {
        }
        File.Delete(probe);
    }
}
