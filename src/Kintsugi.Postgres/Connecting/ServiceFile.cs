namespace Kintsugi.Postgres.Connecting;

/// <summary>Finds a service in <c>pg_service.conf</c> (PostgreSQL manual, 34.17; parseServiceInfo in fe-connect.c): the
/// file of the user first, then the one of the system; a value already set is kept.</summary>
internal static class ServiceFile
{
    /// <summary>Where distributions compile libpq to look when PGSYSCONFDIR is not set: Debian, Red Hat, the sources.</summary>
    private static readonly string[] SystemDirectories =
        ["/etc/postgresql-common", "/etc/sysconfig/pgsql", "/etc", "/usr/local/pgsql/etc"];

    public static void Fill(string service, OptionValues values, ConnectionSurroundings around)
    {
        var tried = new List<string>();
        var own = around.Variable("PGSERVICEFILE");
        if (own is not null && !around.Files.Exists(own))
        {
            throw new ConnectionSettingsException(
                $"The service file \"{own}\" that PGSERVICEFILE names does not exist. Correct or unset PGSERVICEFILE.");
        }

        foreach (var path in Candidates(own, around))
        {
            if (around.Files.ReadLines(path) is not { } lines)
            {
                continue;
            }

            tried.Add(path);
            if (FillFrom(path, lines, service, values))
            {
                return;
            }
        }

        // A connection string that slipped in here whole is not repeated: it may hold a password.
        var called = service.All(c => char.IsLetterOrDigit(c) || c is '_' or '-' or '.') ? $"\"{service}\" " : "";
        var where = tried.Count == 0 ? "there is no service file" : $"looked in {string.Join(", ", tried)}";
        throw new ConnectionSettingsException(
            $"The service {called}is not defined: {where}. Add a section of that name to ~/.pg_service.conf, or name its file in PGSERVICEFILE.");
    }

    private static IEnumerable<string> Candidates(string? own, ConnectionSurroundings around)
    {
        if (own is not null)
        {
            yield return own;
        }
        else if (around.Home is not null)
        {
            yield return Path.Combine(around.Home, ".pg_service.conf");
        }

        var system = around.Variable("PGSYSCONFDIR");
        foreach (var directory in system is null ? SystemDirectories : [system])
        {
            yield return Path.Combine(directory, "pg_service.conf");
        }
    }

    private static bool FillFrom(string path, IReadOnlyList<string> lines, string service, OptionValues values)
    {
        var found = false;
        for (var i = 0; i < lines.Count; i++)
        {
            var line = lines[i].Trim();
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            if (line[0] == '[')
            {
                if (found)
                {
                    return true; // the next section begins: ours is complete
                }

                found = line.StartsWith($"[{service}]", StringComparison.Ordinal);
            }
            else if (found)
            {
                FillOne(line, $"{path}:{i + 1}", values);
            }
        }

        return found;
    }

    private static void FillOne(string line, string place, OptionValues values)
    {
        if (line.StartsWith("ldap", StringComparison.Ordinal))
        {
            throw new ConnectionSettingsException(
                $"{place}: LDAP look-up of connection settings is not supported. Write the settings themselves into the section.");
        }

        var equals = line.IndexOf('=', StringComparison.Ordinal);
        var keyword = equals < 0 ? "" : line[..equals];
        if (keyword == "service")
        {
            throw new ConnectionSettingsException($"{place}: a service cannot name another service. Write its settings out.");
        }

        if (!ConnectionOption.All.ContainsKey(keyword))
        {
            throw new ConnectionSettingsException(
                $"{place}: expected option=value without blanks around the \"=\", with an option of libpq such as host, port, dbname, user.");
        }

        values.Fill(keyword, line[(equals + 1)..], place);
    }
}
