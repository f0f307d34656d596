using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Kintsugi.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Kintsugi.SampleShop;

/// <summary>The shop's own sign-in, as simple as can be: one token for the staff (setting StaffToken). Kintsugi only reads the claim.</summary>
internal sealed class TokenSignIn(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder, IConfiguration settings)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logs, encoder)
{
    public new const string Scheme = "Token";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var shown = Request.Headers.Authorization.ToString();
        if (settings["StaffToken"] is not { Length: > 0 } expected || !shown.StartsWith("Token ", StringComparison.Ordinal))
            return Task.FromResult(AuthenticateResult.NoResult());
        if (!CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(shown["Token ".Length..])), SHA256.HashData(Encoding.UTF8.GetBytes(expected))))
            return Task.FromResult(AuthenticateResult.Fail("this token is not known"));
        var staff = new ClaimsIdentity([new Claim(ClaimTypes.Name, "staff"), new Claim(KintsugiClaims.Role, "operator")], Scheme);
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(staff), Scheme)));
    }
}
