using System.Collections.Frozen;

namespace Kintsugi.Postgres.Connecting;

/// <summary>What is done with an option of libpq.</summary>
internal enum Treatment
{
    /// <summary>Carried over to our driver.</summary>
    Used,

    /// <summary>Accepted without effect: it changes neither where we connect nor how safely.</summary>
    Ignored,

    /// <summary>An error when set: our driver cannot keep what it promises, and to connect all the same would be less safe
    /// than what was asked for.</summary>
    Refused,
}

/// <summary>One connection option of libpq with its environment variable (PostgreSQL manual, 34.1.2 and 34.15).</summary>
internal sealed record ConnectionOption(string Keyword, string? Variable, Treatment Treatment)
{
    /// <summary>Every option that libpq 13 to 18 knows; any other name is an error there and here.</summary>
    public static readonly FrozenDictionary<string, ConnectionOption> All = new ConnectionOption[]
    {
        new("service", null, Treatment.Used), // PGSERVICE is read with the service file, before the others
        new("host", "PGHOST", Treatment.Used),
        new("hostaddr", "PGHOSTADDR", Treatment.Used),
        new("port", "PGPORT", Treatment.Used),
        new("dbname", "PGDATABASE", Treatment.Used),
        new("user", "PGUSER", Treatment.Used),
        new("password", "PGPASSWORD", Treatment.Used),
        new("passfile", "PGPASSFILE", Treatment.Used),
        new("connect_timeout", "PGCONNECT_TIMEOUT", Treatment.Used),
        new("options", "PGOPTIONS", Treatment.Used),
        new("sslmode", "PGSSLMODE", Treatment.Used),
        new("sslnegotiation", "PGSSLNEGOTIATION", Treatment.Used),
        new("sslrootcert", "PGSSLROOTCERT", Treatment.Used),
        new("sslcert", "PGSSLCERT", Treatment.Used),
        new("sslkey", "PGSSLKEY", Treatment.Used),
        new("sslpassword", null, Treatment.Used),
        new("gssencmode", "PGGSSENCMODE", Treatment.Used),
        new("krbsrvname", "PGKRBSRVNAME", Treatment.Used),
        new("channel_binding", "PGCHANNELBINDING", Treatment.Used),
        new("require_auth", "PGREQUIREAUTH", Treatment.Used),
        new("target_session_attrs", "PGTARGETSESSIONATTRS", Treatment.Used),
        new("load_balance_hosts", "PGLOADBALANCEHOSTS", Treatment.Used),
        new("keepalives", null, Treatment.Used),
        new("keepalives_idle", null, Treatment.Used),
        new("keepalives_interval", null, Treatment.Used),
        new("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION", Treatment.Used),

        // The name and encoding of our sessions are ours: statistics and log lines are told apart by the name.
        new("application_name", "PGAPPNAME", Treatment.Ignored),
        new("fallback_application_name", null, Treatment.Ignored),
        new("client_encoding", "PGCLIENTENCODING", Treatment.Ignored),
        new("authtype", null, Treatment.Ignored),
        new("sslcompression", "PGSSLCOMPRESSION", Treatment.Ignored),
        new("sslsni", "PGSSLSNI", Treatment.Ignored),
        new("sslcertmode", "PGSSLCERTMODE", Treatment.Ignored),
        new("gsslib", "PGGSSLIB", Treatment.Ignored),
        new("gssdelegation", "PGGSSDELEGATION", Treatment.Ignored),
        new("keepalives_count", null, Treatment.Ignored),
        new("tcp_user_timeout", null, Treatment.Ignored),
        new("min_protocol_version", "PGMINPROTOCOLVERSION", Treatment.Ignored),
        new("max_protocol_version", "PGMAXPROTOCOLVERSION", Treatment.Ignored),
        new("sslkeylogfile", null, Treatment.Ignored),

        new("sslcrl", "PGSSLCRL", Treatment.Refused),
        new("sslcrldir", "PGSSLCRLDIR", Treatment.Refused),
        new("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION", Treatment.Refused),
        new("requirepeer", "PGREQUIREPEER", Treatment.Refused),
        new("replication", null, Treatment.Refused),
        new("scram_client_key", null, Treatment.Refused),
        new("scram_server_key", null, Treatment.Refused),
        new("oauth_issuer", null, Treatment.Refused),
        new("oauth_client_id", null, Treatment.Refused),
        new("oauth_client_secret", null, Treatment.Refused),
        new("oauth_scope", null, Treatment.Refused),
    }.ToFrozenDictionary(option => option.Keyword, StringComparer.Ordinal);
}
