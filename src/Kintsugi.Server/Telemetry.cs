using Kintsugi.Configuration;
using Kintsugi.Hosting;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Kintsugi.Server;

/// <summary>Metrics for who asks (Prometheus) and, with traces, for a collector that is told (OTLP).</summary>
internal static class Telemetry
{
    public static void Add(IServiceCollection services, TelemetryConfiguration settings) => services.AddOpenTelemetry()
        .ConfigureResource(resource => resource.AddService("kintsugi", serviceInstanceId: Environment.MachineName))
        .WithMetrics(metrics =>
        {
            metrics.AddMeter(KintsugiMeter.Name, "Quartz").AddPrometheusExporter();
            if (settings.Otlp is not null)
                metrics.AddOtlpExporter((otlp, reader) =>
                {
                    Aim(otlp, settings, "v1/metrics");
                    reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = (int)Math.Min(settings.Interval.TotalMilliseconds, int.MaxValue);
                });
        })
        .WithTracing(tracing =>
        {
            tracing.AddSource(KintsugiTraces.Name);
            if (settings.Otlp is not null)
                tracing.AddOtlpExporter(otlp => Aim(otlp, settings, "v1/traces"));
        });

    /// <param name="path">Below the collector's address, where each signal has one of its own.</param>
    private static void Aim(OtlpExporterOptions otlp, TelemetryConfiguration settings, string path)
    {
        otlp.Protocol = settings.Protocol == OtlpProtocol.Grpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        otlp.Endpoint = settings.Protocol == OtlpProtocol.Grpc ? settings.Otlp! : new Uri($"{settings.Otlp!.ToString().TrimEnd('/')}/{path}");
        if (settings.Headers is { } headers)
            otlp.Headers = headers.Reveal();
    }
}
