namespace Kintsugi.Postgres.Connecting;

/// <summary>Resolves connection settings exactly as psql does: the connection string over flags, flags over the service
/// file, that over <c>PG*</c>, that over the defaults (conninfo_add_defaults and connectOptions2 in fe-connect.c). What the
/// configuration file says comes below the flags and above the service file.</summary>
public static class ConnectionResolver
{
    /// <exception cref="ConnectionSettingsException">The settings contradict themselves or cannot be read.</exception>
    public static ConnectionSettings Resolve(ConnectionRequest request, ConnectionSurroundings around)
    {
        var values = new OptionValues();
        FillFlag(values, "host", request.Host, "-h");
        FillFlag(values, "port", request.Port, "-p");
        FillFlag(values, "user", request.User, "-U");
        var names = AddDatabases(values, request.Databases);
        AddFileConnection(values, request, hostGiven: values.Get("host") is not null);
        if ((values.Get("service") ?? around.Variable("PGSERVICE")) is { Length: > 0 } service)
        {
            ServiceFile.Fill(service, values, around);
        }

        AddEnvironment(values, around);
        return Settle(request, values, names, around);
    }

    /// <summary>Whether psql would read this argument as a connection string rather than as a database's name.</summary>
    public static bool IsConnectionString(string text) =>
        ConnectionUri.IsOne(text) || text.Contains('=', StringComparison.Ordinal);

    internal static IReadOnlyList<KeyValuePair<string, string>> Parse(string text, string origin) =>
        ConnectionUri.IsOne(text) ? new ConnectionUri(text, origin).Read() : new KeywordString(text, origin).Read();

    private static void FillFlag(OptionValues values, string keyword, string? value, string flag)
    {
        if (!string.IsNullOrEmpty(value))
        {
            values.Replace(keyword, value, flag);
        }
    }

    private static List<string> AddDatabases(OptionValues values, IReadOnlyList<string> databases)
    {
        const string Origin = "the connection string";
        var strings = databases.Where(IsConnectionString).ToList();
        if (strings.Count > 1)
        {
            throw new ConnectionSettingsException(
                "More than one -d is a connection string. Name the server once, and further databases on it by name alone.");
        }

        var names = new List<string>();
        foreach (var given in databases.Where(given => given.Length > 0))
        {
            if (!IsConnectionString(given))
            {
                names.Add(given);
                continue;
            }

            foreach (var (keyword, value) in Parse(given, Origin))
            {
                values.Replace(keyword, value, Origin);
            }

            if (values.TryGet("dbname", out var database))
            {
                names.Add(database);
            }
        }

        if (names.Count > 0)
        {
            values.Replace("dbname", names[0], "-d");
        }

        return names;
    }

    private static void AddFileConnection(OptionValues values, ConnectionRequest request, bool hostGiven)
    {
        const string Origin = "the connection in the configuration file";
        var text = request.FileConnection;
        if (!string.IsNullOrEmpty(text))
        {
            var pairs = IsConnectionString(text) ? Parse(text, Origin) : [new("dbname", text)];

            // The last of two values in one string wins, as in libpq; and a host given by flag replaces the file's address too.
            foreach (var (keyword, value) in pairs.Reverse())
            {
                if (!(hostGiven && keyword == "hostaddr"))
                {
                    values.Fill(keyword, value, Origin);
                }
            }
        }

        if (request.FilePassword is not null)
        {
            values.Fill("password", request.FilePassword.Reveal(), "the configuration file");
        }
    }

    private static void AddEnvironment(OptionValues values, ConnectionSurroundings around)
    {
        foreach (var option in ConnectionOption.All.Values)
        {
            if (option.Variable is not null && around.Variable(option.Variable) is { } value)
            {
                values.Fill(option.Keyword, value, option.Variable);
            }
        }

        // The old way to ask for encryption (libpq still reads it).
        if (!values.Has("sslmode") && around.Variable("PGREQUIRESSL") is ['1', ..])
        {
            values.Fill("sslmode", "require", "PGREQUIRESSL");
        }
    }

    private static ConnectionSettings Settle(
        ConnectionRequest request, OptionValues values, List<string> names, ConnectionSurroundings around)
    {
        RefuseWhatCannotBeKept(values);
        var user = values.Get("user") ?? around.OperatingSystemUser;
        if (user.Length == 0)
        {
            throw new ConnectionSettingsException("The name of the operating system user is unknown. Give the user with -U or PGUSER.");
        }

        var hosts = HostList.Resolve(values, around.Files);
        var database = values.Get("dbname") ?? user;
        var warnings = new List<string>();
        var password = PasswordLookup.Find(values, hosts, user, database, around, warnings);
        return new()
        {
            Hosts = hosts,
            User = user,
            Database = database,
            Databases = names.Count > 0 ? names : values.TryGet("dbname", out var one) ? [one] : [],
            Password = password.Password,
            PasswordSource = password.Source,
            PasswordFile = password.File,
            Prompt = request.Prompt,
            Ssl = SslOptions.Resolve(values, hosts, around),
            Session = SessionOptions.Resolve(values),
            Warnings = warnings,
        };
    }

    private static void RefuseWhatCannotBeKept(OptionValues values)
    {
        foreach (var keyword in values.Keywords)
        {
            if (ConnectionOption.All[keyword].Treatment == Treatment.Refused && values.Get(keyword) is not null)
            {
                throw new ConnectionSettingsException(
                    $"The option {keyword} (from {values.Origin(keyword)}) is one that Kintsugi cannot honour, and connecting "
                    + "without it would not be what was asked for. Remove it for Kintsugi.");
            }
        }
    }
}
