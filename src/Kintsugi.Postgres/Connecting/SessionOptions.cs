namespace Kintsugi.Postgres.Connecting;

/// <summary>Settles what is neither an address nor a password nor encryption.</summary>
internal static class SessionOptions
{
    public static SessionSettings Resolve(OptionValues values) => new()
    {
        Options = values.Get("options"),
        TargetSessionAttributes = Choice.OneOf(values, "target_session_attrs",
            "any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
        LoadBalanceHosts = Choice.OneOf(values, "load_balance_hosts", "disable", "random") == "random",
        ChannelBinding = Choice.OneOf(values, "channel_binding", "disable", "prefer", "require"),
        RequireAuth = AuthenticationMethods(values),
        GssEncryption = Choice.OneOf(values, "gssencmode", "disable", "prefer", "require"),
        KerberosService = values.Get("krbsrvname"),
        ConnectTimeout = Timeout(values),
        KeepAlive = Choice.Number(values, "keepalives") is not 0,
        KeepAliveIdle = Positive(values, "keepalives_idle"),
        KeepAliveInterval = Positive(values, "keepalives_interval"),
    };

    /// <summary>The list of require_auth in the driver's spelling. One list is all allowed or all ("!") forbidden, as in libpq.</summary>
    private static string? AuthenticationMethods(OptionValues values)
    {
        if (!values.TryGet("require_auth", out var list))
        {
            return null;
        }

        var given = list.Split(',', StringSplitOptions.TrimEntries);
        var names = given.Select(method => method.TrimStart('!') switch
        {
            "password" => "Password",
            "md5" => "MD5",
            "gss" => "GSS",
            "sspi" => "SSPI",
            "scram-sha-256" => "ScramSHA256",
            "none" => "None",
            _ => null,
        }).ToList();
        var forbidden = given.Count(method => method.StartsWith('!'));
        return names.Contains(null) || (forbidden > 0 && forbidden < given.Length)
            ? throw new ConnectionSettingsException(
                $"require_auth (from {values.Origin("require_auth")}) has a value it cannot have. Use a list of "
                + "password, md5, gss, sspi, scram-sha-256, none; or put ! before each of them.")
            : string.Join(',', names.Select(name => forbidden > 0 ? $"!{name}" : name));
    }

    /// <summary>Zero and below wait for ever; libpq makes two seconds the least.</summary>
    private static TimeSpan? Timeout(OptionValues values) => Choice.Number(values, "connect_timeout") switch
    {
        null => null,
        <= 0 => TimeSpan.Zero,
        { } seconds => TimeSpan.FromSeconds(Math.Max(2, seconds)),
    };

    private static TimeSpan? Positive(OptionValues values, string keyword) =>
        Choice.Number(values, keyword) is { } seconds and > 0 ? TimeSpan.FromSeconds(seconds) : null;
}
