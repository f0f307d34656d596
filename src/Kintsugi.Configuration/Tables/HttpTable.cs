using System.Net;
using System.Text.Json.Nodes;
using Kintsugi.Configuration.Reading;
using Kintsugi.Configuration.Shapes;

namespace Kintsugi.Configuration.Tables;

/// <summary><c>http:</c></summary>
internal static class HttpTable
{
    private static readonly ListenEndpoint Loopback = new(IPAddress.Loopback, 9432);

    private static readonly Shape<ListenEndpoint> Endpoint = new Scalar<ListenEndpoint>(
        "an address and port such as 127.0.0.1:9432", () => new JsonObject { ["type"] = "string" }, ParseEndpoint);

    private static readonly Key<string> KeyName = new("name", Is.Text, "Who uses the key; appears in the ledger.", required: true);
    private static readonly Key<string> Sha256 = new("sha256", Is.Sha256, "The SHA-256 of the key.", required: true);
    private static readonly Key<ApiRole> Role = new(
        "role", Is.OneOf(("viewer", ApiRole.Viewer), ("operator", ApiRole.Operator), ("admin", ApiRole.Admin)),
        "viewer reads, operator approves and runs, admin changes settings.", ApiRole.Viewer);

    private static readonly Mapping<ApiKey> KeyShape = new(
        [KeyName, Sha256, Role], values => new(values.Get(KeyName), values.Get(Sha256), values.Get(Role)));

    private static readonly Key<ListenEndpoint> Listen = new(
        "listen", Endpoint, "Address and port of the API and the metrics.", Loopback);
    private static readonly Key<IReadOnlyList<ApiKey>> ApiKeys = new(
        "api_keys", new Listing<ApiKey>(KeyShape, "key", key => key.Name), "Who may use the API, by the hash of a key.", []);

    private static readonly Key<OidcConfiguration?> Oidc = new("oidc", OidcTable.Shape!, "An issuer whose tokens are taken beside the keys.");

    public static readonly HttpConfiguration Default = new(Loopback, []);

    public static readonly Mapping<HttpConfiguration> Shape = new(
        [Listen, ApiKeys, Oidc],
        values =>
        {
            var listen = values.Get(Listen);
            if (values.Get(ApiKeys).Count == 0 && values.Get(Oidc) is null && (listen.Address is null || !IPAddress.IsLoopback(listen.Address)))
            {
                values.Mistake(Listen, "an address that others can reach needs api_keys or oidc; add one, or listen on 127.0.0.1");
            }

            return new(listen, values.Get(ApiKeys)) { Oidc = values.Get(Oidc) };
        });

    /// <summary>Reads "127.0.0.1:9432", "[::1]:9432", "localhost:9432", "*:9432".</summary>
    public static string? ParseEndpoint(string text, ReadingContext reading, out ListenEndpoint value)
    {
        const string Advice = "write an address and a port such as 127.0.0.1:9432, [::1]:9432 or *:9432";
        value = Loopback;
        var colon = text.LastIndexOf(':');
        if (colon < 1 || !ushort.TryParse(text.AsSpan(colon + 1), out var port))
        {
            return $"\"{text}\" has no port; {Advice}";
        }

        var host = text[..colon];
        if (host == "*")
        {
            value = new(null, port);
            return null;
        }

        var bracketed = host is ['[', .., ']'];
        var address = host == "localhost" ? IPAddress.Loopback
            : (bracketed || !host.Contains(':', StringComparison.Ordinal)) && IPAddress.TryParse(host.Trim('[', ']'), out var parsed) ? parsed
            : null;
        if (address is null)
        {
            return $"\"{host}\" is not an IP address; {Advice}";
        }

        value = new(address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) ? null : address, port);
        return null;
    }
}
