namespace Kintsugi.Postgres.Connecting;

/// <summary>psql's -w and -W.</summary>
public enum PasswordPrompt
{
    /// <summary>Ask only when the server wants a password and none is known.</summary>
    WhenNeeded,

    /// <summary>-w: never ask; a server that wants one refuses us.</summary>
    Never,

    /// <summary>-W: ask before connecting, whatever else is known.</summary>
    Always,
}

/// <summary>What the person asked for on the command line, before environment, files and defaults fill the gaps.</summary>
public sealed record ConnectionRequest
{
    /// <summary>-h: host names, addresses or socket directories, comma separated.</summary>
    public string? Host { get; init; }

    /// <summary>-p: one port, or one for each host, comma separated.</summary>
    public string? Port { get; init; }

    /// <summary>-U.</summary>
    public string? User { get; init; }

    /// <summary>-d (repeated) and the positional argument. At most one may be a connection URI or keyword string; as in psql
    /// its values win over the other flags. The rest are names of databases on that server.</summary>
    public IReadOnlyList<string> Databases { get; init; } = [];

    /// <summary>A connection URI or keyword string from the configuration file: below the flags, above <c>PG*</c>.</summary>
    public string? FileConnection { get; init; }

    /// <summary>A password that was given by reference (file, variable) beside <see cref="FileConnection"/>.</summary>
    public Secret? FilePassword { get; init; }

    public PasswordPrompt Prompt { get; init; }
}
