using Kintsugi.Configuration.Shapes;

namespace Kintsugi.Configuration.Tables;

/// <summary><c>telemetry:</c></summary>
internal static class TelemetryTable
{
    private static readonly Key<Uri?> Otlp = new("otlp", Is.Url!, "The collector that metrics and traces are sent to; left out, nothing is sent.");
    private static readonly Key<OtlpProtocol> Protocol = new(
        "protocol", Is.OneOf(("http", OtlpProtocol.Http), ("grpc", OtlpProtocol.Grpc)),
        "http sends protobuf to /v1/metrics and /v1/traces below otlp, grpc calls otlp itself.", OtlpProtocol.Http);
    private static readonly Key<Secret?> Headers = new("headers", SecretText.Any!, "Sent along, as name=value,name=value.");
    private static readonly Key<TimeSpan> Interval = new("interval", Is.Duration, "How often metrics are sent.", TimeSpan.FromMinutes(1));

    public static readonly TelemetryConfiguration Default = new(null, OtlpProtocol.Http, null, TimeSpan.FromMinutes(1));

    public static readonly Mapping<TelemetryConfiguration> Shape = new(
        [Otlp, Protocol, Headers, Interval],
        values =>
        {
            if (!values.Has(Otlp) && (values.Has(Protocol) || values.Has(Headers) || values.Has(Interval)))
            {
                values.Mistake("without otlp nothing is sent: say where to, or leave telemetry out");
            }

            return new(values.Get(Otlp), values.Get(Protocol), values.Get(Headers), values.Get(Interval));
        });
}
