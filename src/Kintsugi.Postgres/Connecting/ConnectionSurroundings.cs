namespace Kintsugi.Postgres.Connecting;

/// <summary>What libpq takes from around the process. Passed in, so that the resolution is a pure function.</summary>
/// <param name="Variable">An environment variable, or null when it is not set.</param>
/// <param name="OperatingSystemUser">The name of the effective user, the default of <c>user</c>.</param>
/// <param name="Home">The home directory, where the service, password and certificate files lie; null when there is none.</param>
/// <param name="Files">The few questions that are put to the file system.</param>
public sealed record ConnectionSurroundings(
    Func<string, string?> Variable, string OperatingSystemUser, string? Home, IConnectionFiles Files)
{
    /// <summary>The surroundings of this process. Like libpq, HOME goes before the password database.</summary>
    public static ConnectionSurroundings OfThisProcess()
    {
        var home = Environment.GetEnvironmentVariable("HOME");
        if (string.IsNullOrEmpty(home))
        {
            home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        }

        return new(
            Environment.GetEnvironmentVariable,
            Environment.UserName,
            string.IsNullOrEmpty(home) ? null : home,
            new ConnectionFiles());
    }
}

/// <summary>The files that settings may come from.</summary>
public interface IConnectionFiles
{
    /// <summary>Whether anything is there: a file or a socket.</summary>
    bool Exists(string path);

    /// <summary>The lines of a text file, or null when there is none.</summary>
    /// <exception cref="ConnectionSettingsException">It is there and cannot be read.</exception>
    IReadOnlyList<string>? ReadLines(string path);

    /// <summary>Whether group or others have any access; libpq then ignores a password file.</summary>
    bool IsOpenToOthers(string path);
}

/// <summary>The real file system.</summary>
internal sealed class ConnectionFiles : IConnectionFiles
{
    public bool Exists(string path) => Path.Exists(path);

    public IReadOnlyList<string>? ReadLines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new ConnectionSettingsException(
                $"The file \"{path}\" is there but cannot be read ({unreadable.Message}). Make it readable for this user.");
        }
    }

    public bool IsOpenToOthers(string path)
    {
        const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
            | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        return !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != 0;
    }
}
