using Kintsugi.Configuration;
using Kintsugi.Hosting;
using Kintsugi.Web;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Kintsugi.Server;

/// <summary>Bearer tokens of the configured issuer: signed by one of its keys, made out for us, not run out; the role is in a claim.</summary>
internal sealed partial class OidcTokens(ConfigurationSource configuration, ILogger<OidcTokens> log) : ITokenReader
{
    /// <summary>Signatures that only the issuer can make: with a shared secret whoever checks could also sign.</summary>
    private static readonly string[] Algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    private readonly JsonWebTokenHandler handler = new() { MapInboundClaims = false };
    private readonly Lock gate = new();
    private (Uri Issuer, ConfigurationManager<OpenIdConnectConfiguration> Keys)? known;

    public async ValueTask<TokenHolder?> Read(string token, CancellationToken cancellationToken)
    {
        if (configuration.Current.Http.Oidc is not { } settings)
            return null;
        var result = await handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ConfigurationManager = KeysOf(settings.Issuer), ValidIssuers = [settings.Issuer.OriginalString, settings.Issuer.OriginalString.TrimEnd('/')],
            ValidAudience = settings.Audience, ValidAlgorithms = Algorithms,
            RequireSignedTokens = true, RequireExpirationTime = true, ClockSkew = TimeSpan.FromMinutes(1),
        });
        if (!result.IsValid)
        {
            // What was wrong with it is for the owner; whoever shows it learns only that it is not believed.
            Refused(log, result.Exception?.GetType().Name ?? "unknown", result.Exception?.InnerException?.GetType().Name);
            return null;
        }
        var identity = result.ClaimsIdentity;
        var values = identity.FindAll(settings.RoleClaim).Select(claim => claim.Value).ToHashSet();
        var roles = settings.Roles.Where(role => values.Contains(role.Value)).Select(role => role.Role).ToList();
        return new TokenHolder(identity.FindFirst(settings.NameClaim)?.Value ?? "a token without a name", roles.Count == 0 ? null : roles.Max());
    }

    /// <summary>Its keys are kept, and asked for again when a token is signed by an unknown one, at most every minute.</summary>
    private ConfigurationManager<OpenIdConnectConfiguration> KeysOf(Uri issuer)
    {
        lock (gate)
        {
            if (known is { } it && it.Issuer == issuer)
                return it.Keys;
            var keys = new ConfigurationManager<OpenIdConnectConfiguration>(
                $"{issuer.OriginalString.TrimEnd('/')}/.well-known/openid-configuration", new OpenIdConnectConfigurationRetriever(),
                new HttpDocumentRetriever { RequireHttps = !issuer.IsLoopback }) { RefreshInterval = TimeSpan.FromMinutes(1) };
            known = (issuer, keys);
            return keys;
        }
    }

    [LoggerMessage(7001, LogLevel.Warning, "A token was not believed: {Problem} {Inner}")]
    private static partial void Refused(ILogger log, string problem, string? inner);
}
