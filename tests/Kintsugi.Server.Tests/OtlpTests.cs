using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Server.Tests;

/// <summary>A collector is told what happens: metrics by the promised names, and spans around looks, checks, repairs and steps.</summary>
public sealed class OtlpTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_collector_gets_the_metrics_and_the_spans_of_a_look_and_of_a_repair()
    {
        using var collector = new Collector();
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        await Injury.Inflict(database.Cluster, database.Name, [new BTreeEntryMissing()], Stop);
        await using var service = new Service();
        service.Write(Service.Block + "targets:\n" + Service.Target(database)
            + $"telemetry: {{ otlp: \"{collector.Url}\", headers: \"x-tenant=cinema\", interval: 1s }}\n");
        service.Start();
        await service.Until("a repair is traced", () => collector.Says("/v1/traces", "kintsugi.repair"));
        foreach (var span in new[] { "kintsugi.look", "kintsugi.check", "kintsugi.step", "db.health_check", "btree", "healed" })
            await service.Until(span, () => collector.Says("/v1/traces", span));
        foreach (var metric in new[] { "db.corruption.events", "db.repair.attempts", "db.repair.success_rate", "db.health_check.duration", "kintsugi.cases.open" })
            await service.Until(metric, () => collector.Says("/v1/metrics", metric));
        Assert.All(collector.Taken, taken => Assert.Equal(("cinema", "application/x-protobuf"), (taken.Tenant, taken.Type)));
    }

    [Fact]
    public async Task A_collector_that_speaks_gRPC_gets_them_too()
    {
        await using var collector = await GrpcCollector.Listen(Stop);
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        await using var service = new Service();
        service.Write(Service.Block + "targets:\n" + Service.Target(database)
            + $"telemetry: {{ otlp: \"{collector.Url}\", protocol: grpc, headers: \"x-tenant=cinema\", interval: 1s }}\n");
        service.Start();
        foreach (var (path, name) in new[]
        {
            ("/opentelemetry.proto.collector.trace.v1.TraceService/Export", "kintsugi.look"),
            ("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", "db.health_check.duration"),
        })
            await service.Until(name, () => collector.Taken.Any(taken => taken.Path == path && taken.Text.Contains(name, StringComparison.Ordinal)));
        Assert.All(collector.Taken, taken => Assert.Equal(("cinema", "application/grpc", true), (taken.Tenant, taken.Type, taken.IsWhole)));
    }

    /// <summary>Keeps what is sent. Names in protobuf are plain UTF-8, so that they can be looked for as they are.</summary>
    private sealed class Collector : IDisposable
    {
        private readonly HttpListener listener = new();

        public Collector()
        {
            Url = $"http://127.0.0.1:{WebhookReceiver.FreePort()}/";
            listener.Prefixes.Add(Url);
            listener.Start();
            _ = Listen();
        }

        public string Url { get; }
        public ConcurrentQueue<(string Path, string Text, string? Tenant, string? Type)> Taken { get; } = new();

        public bool Says(string path, string name) => Taken.Any(taken => taken.Path == path && taken.Text.Contains(name, StringComparison.Ordinal));

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
                var body = new MemoryStream();
                try
                {
                    await context.Request.InputStream.CopyToAsync(body, CancellationToken.None);
                }
                catch (Exception gone) when (gone is IOException or HttpListenerException)
                {
                    // Who gave up while it sent is not the last who sends.
                    continue;
                }
                Taken.Enqueue((context.Request.Url!.AbsolutePath, Encoding.Latin1.GetString(body.ToArray()), context.Request.Headers["x-tenant"],
                    context.Request.ContentType));
                context.Response.ContentType = "application/x-protobuf";
                context.Response.Close();
            }
        }
    }
}
