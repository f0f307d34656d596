using System.Net;
using System.Security.Cryptography;
using System.Text;
using Kintsugi.Configuration;
using Kintsugi.Hosting;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;

namespace Kintsugi.Web.Api;

/// <summary>Who calls: a person whom the application let in, the holder of a key, or, where that is allowed, a program of this machine.</summary>
internal sealed class Callers(ConfigurationSource configuration, KintsugiWebOptions options, IReadOnlyList<ITokenReader> tokens)
{
    private const string Bearer = "Bearer ";

    /// <returns>The caller, or null; and whether a key was shown that is not known.</returns>
    /// <exception cref="ApiProblemException">A token that is believed gives no role here.</exception>
    public async ValueTask<(Caller? Caller, bool WrongKey)> Identify(HttpContext context)
    {
        // Where the application asks for an authorization, its policy has let this person in already.
        var asked = context.GetEndpoint()?.Metadata;
        if (asked?.GetMetadata<IAuthorizeData>() is not null && asked.GetMetadata<IAllowAnonymous>() is null && context.User.Identity is { IsAuthenticated: true } person)
            return (new Caller(person.Name ?? "a person without a name", RoleOf(context.User.FindFirst(KintsugiClaims.Role)?.Value)), false);
        var keys = configuration.Current.Http.ApiKeys;
        if (Shown(context.Request) is { } key)
            return Holder(keys, key) is { } holder || (holder = await OfToken(key, context.RequestAborted)) is not null ? (holder, false) : (null, true);
        return keys.Count == 0 && configuration.Current.Http.Oidc is null && options.ReadsFromLoopback && IsOfThisMachine(context) ? (new Caller("this machine", ApiRole.Viewer), false) : (null, false);
    }

    /// <summary>A token has three parts with dots between them; nothing else is worth asking about.</summary>
    private async ValueTask<Caller?> OfToken(string shown, CancellationToken cancellationToken)
    {
        if (shown.AsSpan().Count('.') != 2)
            return null;
        foreach (var reader in tokens)
            if (await reader.Read(shown, cancellationToken) is { } holder)
                return holder.Role is { } role ? new Caller(holder.Name, role)
                    : throw new ApiProblemException(403, $"the token of {holder.Name} gives no role here: see http: {{ oidc: {{ role_claim, viewer, operator, admin }} }}");
        return null;
    }

    private static string? Shown(HttpRequest request) =>
        request.Headers.Authorization.ToString() is { } authorization && authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
            ? authorization[Bearer.Length..].Trim()
            : request.Headers["X-Api-Key"].ToString() is { Length: > 0 } key ? key : null;

    /// <summary>Every key is compared, and each in the same time: how long it takes says nothing.</summary>
    private static Caller? Holder(IReadOnlyList<ApiKey> keys, string shown)
    {
        var hash = Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(shown))));
        Caller? holder = null;
        foreach (var key in keys)
            if (CryptographicOperations.FixedTimeEquals(hash, Encoding.ASCII.GetBytes(key.Sha256.ToLowerInvariant())))
                holder = new Caller(key.Name, key.Role);
        return holder;
    }

    /// <summary>A page in a browser of this machine reaches it too, by a name of its own that leads here: the name that was asked for tells them apart.</summary>
    private static bool IsOfThisMachine(HttpContext context) =>
        context.Connection.RemoteIpAddress is { } from && IPAddress.IsLoopback(from)
        && (context.Request.Host.Host is "localhost" || (IPAddress.TryParse(context.Request.Host.Host.Trim('[', ']'), out var name) && IPAddress.IsLoopback(name)));

    private static ApiRole RoleOf(string? claim) => claim switch
    {
        "admin" => ApiRole.Admin,
        "operator" => ApiRole.Operator,
        _ => ApiRole.Viewer,
    };
}
