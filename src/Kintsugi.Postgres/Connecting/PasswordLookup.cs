namespace Kintsugi.Postgres.Connecting;

/// <summary>Settles the password: one that was given, else the password file's for each host.</summary>
internal static class PasswordLookup
{
    public static (Secret? Password, PasswordSource Source, string? File) Find(
        OptionValues values,
        IReadOnlyList<ServerAddress> hosts,
        string user,
        string database,
        ConnectionSurroundings around,
        List<string> warnings)
    {
        if (values.TryGet("password", out var given))
        {
            return (new(given), SourceOf(values.Origin("password")), null);
        }

        var path = values.Get("passfile") ?? (around.Home is null ? null : Path.Combine(around.Home, ".pgpass"));
        if (path is null || !around.Files.Exists(path))
        {
            return (null, PasswordSource.None, null);
        }

        if (around.Files.IsOpenToOthers(path))
        {
            warnings.Add($"The password file \"{path}\" was ignored, as psql does: others can read it. Run: chmod 0600 \"{path}\"");
            return (null, PasswordSource.None, null);
        }

        var lines = around.Files.ReadLines(path) ?? [];
        var found = hosts.Select(host => PasswordFile.Find(lines, NameInFile(host), host.Port, database, user)).ToList();
        var distinct = found.Select(secret => secret?.Reveal()).Distinct(StringComparer.Ordinal).ToList();
        return distinct switch
        {
            [null] => (null, PasswordSource.None, null),
            [_] => (found[0], PasswordSource.PasswordFile, null),
            _ => (null, PasswordSource.PasswordFile, path),
        };
    }

    /// <summary>libpq looks the default socket directory up as "localhost", any other by its path.</summary>
    private static string NameInFile(ServerAddress host) =>
        HostList.SocketDirectories.Contains(host.Name) ? "localhost" : host.Name;

    private static PasswordSource SourceOf(string origin) => origin switch
    {
        "the connection string" or "the connection in the configuration file" => PasswordSource.ConnectionString,
        "the configuration file" => PasswordSource.Configuration,
        "PGPASSWORD" => PasswordSource.Environment,
        _ => PasswordSource.ServiceFile,
    };
}
