using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Kintsugi.Cli.Tests.Fixtures;

/// <summary>Lets one client in as a server of that version would (PostgreSQL manual, 55.2.1) and hears what it says first.</summary>
internal sealed class OldServer : IDisposable
{
    private readonly TcpListener door = new(IPAddress.Loopback, 0);
    private readonly string version;

    public OldServer(string version)
    {
        this.version = version;
        door.Start();
    }

    public int Port => ((IPEndPoint)door.LocalEndpoint).Port;

    /// <returns>The type of the client's first message: Q and P ask for something, X takes leave.</returns>
    public async Task<string> Serve(CancellationToken cancellationToken)
    {
        while (true)
        {
            using var client = await door.AcceptTcpClientAsync(cancellationToken);
            await using var stream = client.GetStream();
            if (await Startup(stream, cancellationToken))
                return await Greet(stream, cancellationToken);
        }
    }

    private async Task<string> Greet(NetworkStream stream, CancellationToken cancellationToken)
    {
        await Send(stream, 'R', [0, 0, 0, 0], cancellationToken);
        foreach (var (name, value) in new[] { ("server_version", version), ("client_encoding", "UTF8"), ("server_encoding", "UTF8") })
            await Send(stream, 'S', Encoding.UTF8.GetBytes($"{name}\0{value}\0"), cancellationToken);
        await Send(stream, 'K', new byte[8], cancellationToken);
        await Send(stream, 'Z', "I"u8.ToArray(), cancellationToken);
        var first = stream.ReadByte();
        return first < 0 ? "X" : ((char)first).ToString();
    }

    public void Dispose() => door.Dispose();

    /// <summary>Requests for encryption are declined until the real startup message comes.</summary>
    /// <returns>False when the client went away before it: some only try the door.</returns>
    private static async Task<bool> Startup(NetworkStream stream, CancellationToken cancellationToken)
    {
        while (true)
        {
            var head = new byte[8];
            if (await stream.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken) < head.Length)
                return false;
            var length = BinaryPrimitives.ReadInt32BigEndian(head);
            await stream.ReadExactlyAsync(new byte[length - 8], cancellationToken);
            if (BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(4)) >> 16 == 3)
                return true;
            await stream.WriteAsync("N"u8.ToArray(), cancellationToken);
        }
    }

    private static async Task Send(NetworkStream stream, char type, byte[] body, CancellationToken cancellationToken)
    {
        var message = new byte[5 + body.Length];
        message[0] = (byte)type;
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), 4 + body.Length);
        body.CopyTo(message, 5);
        await stream.WriteAsync(message, cancellationToken);
    }
}
