using System.Buffers;
using System.Text;
using System.Text.Json;
using Kintsugi.Cli.Runtime;

namespace Kintsugi.Cli.Output;

/// <summary>The document kintsugi.check/1, written piece by piece: with many relations it is larger than all that is known of them.</summary>
internal static class CheckJson
{
    private const int ChunkBytes = 64 << 10;

    public static async ValueTask Write(
        TextWriter to, Capabilities server, string name, ScrubReport report, Registry registry, Baseline baseline)
    {
        var buffer = new ArrayBufferWriter<byte>(2 * ChunkBytes);
        await using var json = new Utf8JsonWriter(buffer, JsonText.Options);
        json.WriteStartObject();
        json.WriteString("format", "kintsugi.check/1");
        JsonText.Server(json, server, name);
        json.WriteString("started", report.Started);
        json.WriteString("finished", report.Finished);
        Verdicts(json, report);
        json.WriteStartArray("examined");
        foreach (var examination in report.Examinations)
        {
            Examined(json, examination);
            await Pass(json, buffer, to, ChunkBytes);
        }
        json.WriteEndArray();
        json.WriteStartArray("findings");
        foreach (var finding in report.Findings)
        {
            Finding(json, finding, registry, baseline);
            await Pass(json, buffer, to, ChunkBytes);
        }
        json.WriteEndArray();
        json.WriteEndObject();
        await Pass(json, buffer, to, 0);
        await to.WriteLineAsync();
    }

    /// <summary>Between two items the text ends with a whole character.</summary>
    private static async ValueTask Pass(Utf8JsonWriter json, ArrayBufferWriter<byte> buffer, TextWriter to, int least)
    {
        if (json.BytesPending + buffer.WrittenCount < least)
            return;
        await json.FlushAsync();
        await to.WriteAsync(Encoding.UTF8.GetString(buffer.WrittenSpan));
        buffer.ResetWrittenCount();
    }

    public static void Verdicts(Utf8JsonWriter json, ScrubReport report)
    {
        json.WriteStartObject("verdicts");
        json.WriteNumber("sound", report.Count<Verdict.Sound>());
        json.WriteNumber("damaged", report.Count<Verdict.Damaged>());
        json.WriteNumber("unchecked", report.Count<Verdict.Unchecked>());
        json.WriteNumber("not_applicable", report.Count<Verdict.NotApplicable>());
        json.WriteEndObject();
    }

    private static void Examined(Utf8JsonWriter json, Examination examination)
    {
        json.WriteStartObject();
        json.WriteString("check", examination.Check);
        json.WriteString("database", examination.Target.Database);
        json.WriteString("target", examination.Target.Rule is { } rule ? $"{examination.Target.Name}.{rule}" : examination.Target.Name);
        json.WriteString("verdict", examination.Verdict.Word);
        json.WriteString("reason", examination.Verdict.Why);
        json.WriteNumber("duration_ms", Math.Round(examination.Duration.TotalMilliseconds, 1));
        if (examination.Carried is { } carried)
        {
            json.WriteString("carried", carried.How);
            json.WriteString("proven", carried.At);
        }
        json.WriteEndObject();
    }

    public static void Finding(Utf8JsonWriter json, Finding finding, Registry registry, Baseline baseline)
    {
        var repair = finding.Fault.Advice ? null : registry.RepairsFor(finding.Fault).FirstOrDefault(one => one is { IsUsual: true, OnlyWhenNamed: false });
        json.WriteStartObject();
        json.WriteString("id", finding.Id);
        json.WriteString("fault", finding.Fault.Id);
        json.WriteString("check", finding.Check);
        json.WriteString("severity", finding.Severity.ToString().ToLowerInvariant());
        TargetJson.WriteFields(json, finding.Target);
        JsonText.Raw(json, "key", finding.Key);
        if (finding.Rows is { } rows)
            json.WriteNumber("rows", rows);
        else
            json.WriteNull("rows");
        json.WriteStartArray("samples");
        foreach (var sample in finding.Samples)
            json.WriteRawValue(sample);
        json.WriteEndArray();
        json.WriteString("evidence", finding.Evidence);
        json.WriteString("provisional", finding.Provisional);
        json.WriteString("sqlstate", finding.SqlState);
        json.WriteString("hint", finding.Hint);
        json.WriteString("repair", repair?.Id);
        json.WriteString("accepted", baseline.Reasons.GetValueOrDefault(finding.Id));
        json.WriteString("grade", repair?.Grade.ToString().ToLowerInvariant());
        json.WriteEndObject();
    }
}
