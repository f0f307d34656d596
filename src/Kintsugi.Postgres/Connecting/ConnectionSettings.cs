namespace Kintsugi.Postgres.Connecting;

/// <summary>Where the password came from; the password itself is never shown.</summary>
public enum PasswordSource
{
    None,
    ConnectionString,
    ServiceFile,
    Environment,
    Configuration,
    PasswordFile,
    Prompt,
}

/// <summary>Encryption and how far the server's identity is proven, in libpq's own words.</summary>
/// <param name="Mode">disable, allow, prefer, require, verify-ca or verify-full.</param>
/// <param name="Negotiation">postgres or direct.</param>
public sealed record SslSettings(
    string Mode, string? RootCertificate, string? Certificate, string? Key, Secret? KeyPassword, string? Negotiation);

/// <summary>Settings handed to the driver as they are; null means its own default, which is libpq's.</summary>
public sealed record SessionSettings
{
    public string? Options { get; init; }
    public string? TargetSessionAttributes { get; init; }
    public bool LoadBalanceHosts { get; init; }
    public string? ChannelBinding { get; init; }
    public string? RequireAuth { get; init; }
    public string? GssEncryption { get; init; }
    public string? KerberosService { get; init; }

    /// <summary>How long one attempt may take; null leaves the driver's 15 seconds, zero waits for ever.</summary>
    public TimeSpan? ConnectTimeout { get; init; }
    public bool KeepAlive { get; init; } = true;
    public TimeSpan? KeepAliveIdle { get; init; }
    public TimeSpan? KeepAliveInterval { get; init; }
}

/// <summary>Everything needed to connect, resolved as psql would. Prints without the password.</summary>
public sealed record ConnectionSettings
{
    /// <summary>Tried in this order.</summary>
    public required IReadOnlyList<ServerAddress> Hosts { get; init; }
    public required string User { get; init; }

    /// <summary>The database to connect to first.</summary>
    public required string Database { get; init; }

    /// <summary>Every database that was asked for by name, in order; empty when none was and the default is used.</summary>
    public required IReadOnlyList<string> Databases { get; init; }
    public Secret? Password { get; init; }
    public PasswordSource PasswordSource { get; init; }

    /// <summary>Set when the hosts have different passwords: the driver then looks each one up in this file.</summary>
    public string? PasswordFile { get; init; }
    public required PasswordPrompt Prompt { get; init; }
    public required SslSettings Ssl { get; init; }
    public required SessionSettings Session { get; init; }

    /// <summary>What a person should know although it is no error: an ignored password file, an option without effect.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The same server, another database.</summary>
    public ConnectionSettings WithDatabase(string database) => this with { Database = database };

    /// <summary>The same with the password that a person typed.</summary>
    public ConnectionSettings WithTypedPassword(Secret password) =>
        this with { Password = password, PasswordSource = PasswordSource.Prompt, PasswordFile = null };

    public override string ToString() => $"{User}@{string.Join(",", Hosts)}/{Database}";
}
