using Kintsugi.Configuration;

namespace Kintsugi.Web;

/// <summary>Reads tokens that somebody else gives out, where keys of our own are not known.</summary>
public interface ITokenReader
{
    /// <returns>Null for a token that is not to be believed.</returns>
    ValueTask<TokenHolder?> Read(string token, CancellationToken cancellationToken);
}

/// <summary>Whom a token was given to.</summary>
/// <param name="Role">Null when it gives no role here.</param>
public sealed record TokenHolder(string Name, ApiRole? Role);
