using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Kintsugi.Server.Tests;

/// <summary>What a collector does of gRPC: HTTP/2, a length before each message, an empty answer and the status behind it.</summary>
internal sealed class GrpcCollector : IAsyncDisposable
{
    private readonly WebApplication application;

    private GrpcCollector(WebApplication application, string url) => (this.application, Url) = (application, url);

    public string Url { get; }

    public ConcurrentQueue<(string Path, string Text, string? Tenant, string? Type, bool IsWhole)> Taken { get; } = new();

    public static async Task<GrpcCollector> Listen(CancellationToken cancellationToken)
    {
        var port = WebhookReceiver.FreePort();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(port, place => place.Protocols = HttpProtocols.Http2));
        var collector = new GrpcCollector(builder.Build(), $"http://localhost:{port}");
        collector.application.Run(collector.Take);
        await collector.application.StartAsync(cancellationToken);
        return collector;
    }

    public ValueTask DisposeAsync() => application.DisposeAsync();

    private async Task Take(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var message = body.ToArray();
        // One byte that says whether it is compressed, four with its length.
        var isWhole = message.Length > 5 && message[0] == 0 && BinaryPrimitives.ReadUInt32BigEndian(message.AsSpan(1)) == message.Length - 5;
        Taken.Enqueue((context.Request.Path, Encoding.Latin1.GetString(message), context.Request.Headers["x-tenant"], context.Request.ContentType, isWhole));
        context.Response.ContentType = "application/grpc";
        await context.Response.Body.WriteAsync(new byte[5], context.RequestAborted);
        context.Response.AppendTrailer("grpc-status", "0");
    }
}
