using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Kintsugi.Postgres.Tests.Connecting;

/// <summary>Stands where a server would: writes down what a client says of itself, asks for its password, and turns it away.
/// It speaks the start of the protocol only (PostgreSQL manual, 55.2.1).</summary>
internal sealed class Doorkeeper : IDisposable
{
    private const int EncryptionRequest = 80877103;
    private const int GssRequest = 80877104;
    private readonly Socket _door;

    private Doorkeeper(Socket door, EndPoint at)
    {
        _door = door;
        _door.Bind(at);
        _door.Listen();
    }

    public static Doorkeeper OnTcp() => new(
        new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp), new IPEndPoint(IPAddress.Loopback, 0));

    public static Doorkeeper OnSocket(string path) => new(
        new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified), new UnixDomainSocketEndPoint(path));

    public int Port => ((IPEndPoint)_door.LocalEndPoint!).Port;

    /// <summary>Receives one client: "user, database, options, password".</summary>
    public async Task<string> Receive(CancellationToken cancellationToken)
    {
        using var client = await _door.AcceptAsync(cancellationToken);
        await using var stream = new NetworkStream(client);
        var parameters = await Startup(stream, cancellationToken);
        await stream.WriteAsync("R\0\0\0\b\0\0\0\u0003"u8.ToArray(), cancellationToken); // AuthenticationCleartextPassword
        var password = await Password(stream, cancellationToken);
        return string.Join(" | ", new[] { "user", "database", "options" }.Select(name => parameters.GetValueOrDefault(name, "-")))
            + $" | {password ?? "-"}";
    }

    private static async Task<Dictionary<string, string>> Startup(NetworkStream stream, CancellationToken cancellationToken)
    {
        while (true)
        {
            var body = await Message(stream, cancellationToken);
            if (BinaryPrimitives.ReadInt32BigEndian(body) is EncryptionRequest or GssRequest)
            {
                await stream.WriteAsync("N"u8.ToArray(), cancellationToken);
                continue;
            }

            var words = Encoding.UTF8.GetString(body, 4, body.Length - 4).Split('\0');
            return Enumerable.Range(0, words.Length / 2).Where(i => words[2 * i].Length > 0)
                .ToDictionary(i => words[2 * i], i => words[(2 * i) + 1], StringComparer.Ordinal);
        }
    }

    private static async Task<string?> Password(NetworkStream stream, CancellationToken cancellationToken)
    {
        try
        {
            if (stream.ReadByte() != 'p')
            {
                return null; // it went away, or took its leave: it has none
            }

            var body = await Message(stream, cancellationToken);
            return Encoding.UTF8.GetString(body).TrimEnd('\0');
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static async Task<byte[]> Message(NetworkStream stream, CancellationToken cancellationToken)
    {
        var length = new byte[4];
        await stream.ReadExactlyAsync(length, cancellationToken);
        var body = new byte[BinaryPrimitives.ReadInt32BigEndian(length) - 4];
        await stream.ReadExactlyAsync(body, cancellationToken);
        return body;
    }

    public void Dispose() => _door.Dispose();
}
