using Npgsql;

namespace Kintsugi.Postgres.Connecting;

/// <summary>Writes resolved settings in the driver's terms. Everything that the driver would otherwise take from the
/// environment by itself is set, so that the resolution above is the only one.</summary>
public static class DriverSettings
{
    /// <summary>How our sessions are known on the server: checks leave their own traces out of what they count.</summary>
    public const string ApplicationName = "kintsugi";

    /// <summary>The driver takes no longer timeout than this.</summary>
    private const int MaxTimeoutSeconds = 1024;

    /// <param name="settings">Resolved settings.</param>
    /// <param name="pooling">Whether closed connections are kept for reuse. A session that holds locks or settings is not pooled.</param>
    public static NpgsqlConnectionStringBuilder ToDriver(this ConnectionSettings settings, bool pooling)
    {
        var builder = new NpgsqlConnectionStringBuilder
        {
            Username = settings.User,
            Database = settings.Database,
            ApplicationName = ApplicationName,
            ClientEncoding = "UTF8",
            Pooling = pooling,
            SslMode = Mode(settings.Ssl.Mode),
        };
        SetHosts(builder, settings.Hosts);
        SetPassword(builder, settings);
        SetSsl(builder, settings.Ssl);
        SetSession(builder, settings.Session, settings.Hosts.Count);
        return builder;
    }

    /// <summary>The driver's text for a database that is no patient of ours: named in the file, never asked for a password.</summary>
    /// <exception cref="ConnectionSettingsException">It is no connection.</exception>
    public static string OfOurOwn(Secret connection, ConnectionSurroundings around) => ConnectionResolver.Resolve(
        new ConnectionRequest { FileConnection = connection.Reveal(), Prompt = PasswordPrompt.Never }, around).ToDriver(pooling: true).ConnectionString;

    private static void SetHosts(NpgsqlConnectionStringBuilder builder, IReadOnlyList<ServerAddress> hosts)
    {
        if (hosts is [var only])
        {
            builder.Host = only.Host;
            builder.Port = only.Port;
            return;
        }

        builder.Host = string.Join(',', hosts.Select(host =>
            host.Host.Contains(':', StringComparison.Ordinal) ? $"[{host.Host}]:{host.Port}" : $"{host.Host}:{host.Port}"));
    }

    private static void SetPassword(NpgsqlConnectionStringBuilder builder, ConnectionSettings settings)
    {
        builder.Password = settings.Password?.Reveal();
        builder.Passfile = settings.PasswordFile;
    }

    private static void SetSsl(NpgsqlConnectionStringBuilder builder, SslSettings ssl)
    {
        builder.RootCertificate = ssl.RootCertificate;
        builder.SslCertificate = ssl.Certificate;
        builder.SslKey = ssl.Certificate is null ? null : ssl.Key;
        builder.SslPassword = ssl.KeyPassword?.Reveal();
        if (ssl.Negotiation is not null)
        {
            builder.SslNegotiation = ssl.Negotiation == "direct" ? SslNegotiation.Direct : SslNegotiation.Postgres;
        }
    }

    private static void SetSession(NpgsqlConnectionStringBuilder builder, SessionSettings session, int hosts)
    {
        builder.Options = session.Options;
        builder.RequireAuth = session.RequireAuth;
        builder.TcpKeepAlive = session.KeepAlive;
        if (hosts > 1)
        {
            builder.TargetSessionAttributes = session.TargetSessionAttributes ?? "any";
            builder.LoadBalanceHosts = session.LoadBalanceHosts;
        }

        if (session.ConnectTimeout is { } timeout)
        {
            builder.Timeout = (int)Math.Min(timeout.TotalSeconds, MaxTimeoutSeconds);
        }

        if (session.ChannelBinding is { } binding)
        {
            builder.ChannelBinding = binding switch
            {
                "disable" => ChannelBinding.Disable,
                "require" => ChannelBinding.Require,
                _ => ChannelBinding.Prefer,
            };
        }

        if (session.KerberosService is { } service)
        {
            builder.KerberosServiceName = service;
        }

        if (session.GssEncryption is { } encryption)
        {
            builder.GssEncryptionMode = encryption switch
            {
                "disable" => GssEncryptionMode.Disable,
                "require" => GssEncryptionMode.Require,
                _ => GssEncryptionMode.Prefer,
            };
        }

        if (session is { KeepAlive: true, KeepAliveIdle: { } idle })
        {
            builder.TcpKeepAliveTime = (int)idle.TotalSeconds;
            builder.TcpKeepAliveInterval = (int)(session.KeepAliveInterval ?? TimeSpan.Zero).TotalSeconds;
        }
    }

    private static SslMode Mode(string mode) => mode switch
    {
        "disable" => SslMode.Disable,
        "allow" => SslMode.Allow,
        "require" => SslMode.Require,
        "verify-ca" => SslMode.VerifyCA,
        "verify-full" => SslMode.VerifyFull,
        _ => SslMode.Prefer,
    };
}
