namespace Kintsugi.Postgres.Connecting;

/// <summary>One place where the server may be.</summary>
/// <param name="Host">What is connected to: a name, an address, or (starting with "/" or "@") a socket directory.</param>
/// <param name="Name">The name the server should prove by its certificate; differs from <paramref name="Host"/> only with hostaddr.</param>
/// <param name="Port">1 to 65535; on a socket it is part of the file's name.</param>
public sealed record ServerAddress(string Host, string Name, int Port)
{
    public bool IsSocket => IsSocketPath(Host);

    /// <summary>The socket file, or null over TCP.</summary>
    public string? SocketPath => IsSocket ? $"{Host}/.s.PGSQL.{Port}" : null;

    internal static bool IsSocketPath(string host) => host.StartsWith('/') || host.StartsWith('@');

    public override string ToString() => SocketPath ?? (Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}");
}
