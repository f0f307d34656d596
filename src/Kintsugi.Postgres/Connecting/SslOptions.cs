namespace Kintsugi.Postgres.Connecting;

/// <summary>Settles sslmode and the certificates so that our driver proves no less than libpq would (manual, 34.19).</summary>
internal static class SslOptions
{
    /// <summary>Where systems keep the certificate authorities they trust, for <c>sslrootcert=system</c>.</summary>
    private static readonly string[] SystemAuthorities =
        ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

    public static SslSettings Resolve(OptionValues values, IReadOnlyList<ServerAddress> hosts, ConnectionSurroundings around)
    {
        var given = Choice.OneOf(values, "sslmode", "disable", "allow", "prefer", "require", "verify-ca", "verify-full");
        var negotiation = Choice.OneOf(values, "sslnegotiation", "postgres", "direct");
        RefuseOtherProtocols(values);
        var root = values.Get("sslrootcert");
        var mode = given ?? (root == "system" ? "verify-full" : "prefer");
        if (hosts.All(host => host.IsSocket))
        {
            // libpq never encrypts on a socket, whatever sslmode says; our driver would insist.
            return new("disable", null, null, null, null, null);
        }

        if (hosts.Any(host => host.IsSocket) && mode is "require" or "verify-ca" or "verify-full")
        {
            throw new ConnectionSettingsException(
                $"Kintsugi cannot mix socket directories and network hosts in one list under sslmode={mode}. List network hosts only.");
        }

        root = Root(values, root, ref mode, around);
        if (mode == "verify-full" && hosts.Any(host => !host.IsSocket && host.Name != host.Host))
        {
            throw new ConnectionSettingsException(
                $"sslmode=verify-full proves the name that is connected to, so it does not go with hostaddr (from {values.Origin("hostaddr")}). "
                + "Leave hostaddr out, or use sslmode=verify-ca.");
        }

        return new(
            mode,
            root,
            Existing(values.Get("sslcert"), "postgresql.crt", around),
            Existing(values.Get("sslkey"), "postgresql.key", around),
            values.TryGet("sslpassword", out var password) ? new Secret(password) : null,
            negotiation);
    }

    /// <summary>The root certificate; with one at hand sslmode=require proves the authority, as libpq has it.</summary>
    private static string? Root(OptionValues values, string? given, ref string mode, ConnectionSurroundings around)
    {
        if (given == "system")
        {
            if (mode != "verify-full")
            {
                throw new ConnectionSettingsException(
                    $"sslmode={mode} is too weak for sslrootcert=system: anyone can get a certificate from a public authority. "
                    + "Use sslmode=verify-full.");
            }

            var own = around.Variable("SSL_CERT_FILE");
            return own is { Length: > 0 } ? own : SystemAuthorities.FirstOrDefault(around.Files.Exists);
        }

        var path = given ?? (around.Home is null ? null : Path.Combine(around.Home, ".postgresql", "root.crt"));
        var exists = path is not null && around.Files.Exists(path);
        if (!exists && mode is "verify-ca" or "verify-full")
        {
            throw new ConnectionSettingsException(
                $"sslmode={mode} needs a root certificate, and \"{path ?? "~/.postgresql/root.crt"}\" does not exist. "
                + "Name one with sslrootcert (or sslrootcert=system for the authorities this machine trusts).");
        }

        if (exists && mode == "require")
        {
            mode = "verify-ca";
        }

        return exists && mode is "verify-ca" or "verify-full" ? path : null;
    }

    private static string? Existing(string? given, string name, ConnectionSurroundings around)
    {
        var path = given ?? (around.Home is null ? null : Path.Combine(around.Home, ".postgresql", name));
        return path is not null && around.Files.Exists(path) ? path : null;
    }

    private static void RefuseOtherProtocols(OptionValues values)
    {
        // The platform speaks TLS 1.2 and 1.3 and cannot be held to 1.3 alone from here.
        if (Choice.OneOf(values, "ssl_min_protocol_version", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3") == "TLSv1.3")
        {
            throw new ConnectionSettingsException(
                $"ssl_min_protocol_version=TLSv1.3 (from {values.Origin("ssl_min_protocol_version")}) cannot be enforced by Kintsugi. "
                + "Set ssl_min_protocol_version on the server instead, and remove it here.");
        }
    }
}
