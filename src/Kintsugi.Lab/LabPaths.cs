namespace Kintsugi.Lab;

/// <summary>Where the lab keeps what outlives one run: unpacked servers and golden clusters.</summary>
internal static class LabPaths
{
    /// <summary>
    /// Readable by the unprivileged account that runs the servers, so never below root's home: /var/cache/kintsugi for root,
    /// the XDG cache directory for everybody else.
    /// </summary>
    public static string Cache(string folder)
    {
        var home = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg
            ? xdg
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        var root = Environment.IsPrivilegedProcess ? "/var/cache/kintsugi" : Path.Combine(home, "kintsugi");
        var path = Path.Combine(root, folder);
        MakeTraversable(root);
        MakeTraversable(path);
        return path;
    }

    /// <summary>Creates a directory that everybody may enter and read, whatever the umask says.</summary>
    public static void MakeTraversable(string path)
    {
        Directory.CreateDirectory(path);
        var mode = File.GetUnixFileMode(path);
        var wanted = mode | UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        if (mode != wanted)
            File.SetUnixFileMode(path, wanted);
    }
}
