using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Kintsugi.Server.Tests;

/// <summary>Takes what a webhook is sent, and keeps it.</summary>
internal sealed class WebhookReceiver : IDisposable
{
    private readonly HttpListener listener = new();

    public WebhookReceiver()
    {
        Url = $"http://127.0.0.1:{FreePort()}/";
        listener.Prefixes.Add(Url);
        listener.Start();
        _ = Listen();
    }

    public string Url { get; }
    public ConcurrentQueue<(string Body, string? Timestamp, string? Signature)> Taken { get; } = new();

    /// <summary>Answers 503 while set.</summary>
    public bool Down { get; set; }

    public static int FreePort()
    {
        using var door = new TcpListener(IPAddress.Loopback, 0);
        door.Start();
        return ((IPEndPoint)door.LocalEndpoint).Port;
    }

    public void Dispose() => listener.Close();

    private async Task Listen()
    {
        while (listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await listener.GetContextAsync();
            }
            catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            using var reader = new StreamReader(context.Request.InputStream);
            var body = await reader.ReadToEndAsync();
            context.Response.StatusCode = Down ? 503 : 200;
            if (!Down)
                Taken.Enqueue((body, context.Request.Headers["X-Kintsugi-Timestamp"], context.Request.Headers["X-Kintsugi-Signature"]));
            context.Response.Close();
        }
    }
}
