using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kintsugi.Cli.Runtime;

namespace Kintsugi.Cli.Output;

/// <summary>What heal would do, in both forms. The JSON form is the plan file.</summary>
internal static class PlanOutput
{
    public static async ValueTask Text(CliContext context, IReadOnlyList<Prospect> prospects, string? file)
    {
        var to = context.Out;
        if (prospects.Count == 0)
        {
            await to.WriteLineAsync("There is nothing to repair.");
            return;
        }
        foreach (var prospect in prospects)
        {
            await to.WriteLineAsync();
            await to.WriteLineAsync($"case {prospect.Case.Id}  {Output.Text.Paint(prospect.Case.Cause, Output.Text.Bold, context.Colour)}"
                + $"{(prospect.Case.Database is { } database ? $", database {database}" : "")}");
            if (prospect.Plan is { } plan)
                await Plan(context, plan);
            else
                await to.WriteLineAsync($"  a person must decide: {prospect.WhyNot}");
        }
        var lossless = prospects.Count(prospect => prospect.Plan is { Grade: Grade.Lossless, NeedsApproval: null });
        await to.WriteLineAsync();
        await to.WriteLineAsync($"{Output.Text.Count(prospects.Count, "case")}, {lossless} of them lossless. Nothing was changed. "
            + (file is null ? "To do it: kintsugi heal, with the same options." : $"To do exactly this: kintsugi heal --plan {file}"));
    }

    public static async ValueTask Plan(CliContext context, Plan plan)
    {
        var to = context.Out;
        var rows = plan.RowsQuarantined + plan.RowsChanged + plan.RowsLost;
        await to.WriteLineAsync($"  {plan.Repair}: {plan.Grade.ToString().ToLowerInvariant()}, snapshot of {SnapshotWords(plan.Snapshot)} first"
            + (rows > 0 ? $", {plan.RowsQuarantined} rows to quarantine, {plan.RowsChanged} changed, {plan.RowsLost} lost" : "")
            + (plan.DiskBytes > 0 ? $", needs {Output.Text.Bytes(plan.DiskBytes)} of disk" : "")
            + (plan.NeedsWindow ? ", in a maintenance window where windows are set" : ""));
        foreach (var step in plan.Steps)
        {
            await to.WriteLineAsync($"    {step.Do}");
            await to.WriteLineAsync($"      {Output.Text.Paint($"lock {step.Lock}; {step.Why}", Output.Text.Dim, context.Colour)}");
        }
        foreach (var warning in plan.Warnings)
            await to.WriteLineAsync($"    {Output.Text.Paint("mind:", Output.Text.Yellow, context.Colour)} {warning}");
        if (plan.NeedsApproval is { } why)
            await to.WriteLineAsync($"    needs approval: {why}");
    }

    private static string SnapshotWords(SnapshotGrade grade) => grade switch
    {
        SnapshotGrade.None => "the definition",
        SnapshotGrade.Rows => "the rows (quarantine)",
        SnapshotGrade.Relation => "the relation's files",
        _ => "the whole cluster",
    };

    public static string Json(Subject subject, ScrubReport report, IReadOnlyList<Prospect> prospects)
    {
        var cases = Cases(prospects);
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, JsonText.Options))
        {
            json.WriteStartObject();
            json.WriteString("format", "kintsugi.plan/1");
            JsonText.Server(json, subject.Server, subject.Place);
            json.WriteString("started", report.Started);
            json.WriteString("finished", report.Finished);
            CheckJson.Verdicts(json, report);
            json.WritePropertyName("cases");
            json.WriteRawValue(cases);
            json.WriteString("sha256", Convert.ToHexStringLower(SHA256.HashData(cases)));
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static byte[] Cases(IReadOnlyList<Prospect> prospects)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartArray();
            foreach (var prospect in prospects)
                Case(json, prospect);
            json.WriteEndArray();
        }
        return stream.ToArray();
    }

    private static void Case(Utf8JsonWriter json, Prospect prospect)
    {
        json.WriteStartObject();
        json.WriteString("id", prospect.Case.Id);
        json.WriteString("cause", prospect.Case.Cause);
        json.WriteString("fault", prospect.Case.Fault.Id);
        TargetJson.WriteFields(json, prospect.Case.Target with { Fork = null, Block = null, Offset = null });
        json.WriteStartArray("findings");
        foreach (var finding in prospect.Case.Findings)
            json.WriteStringValue(finding.Id);
        json.WriteEndArray();
        json.WritePropertyName("plan");
        if (prospect.Plan is { } plan)
            PlanJson.Write(json, plan);
        else
            json.WriteNullValue();
        json.WriteString("reason", prospect.Plan is null ? prospect.WhyNot : null);
        json.WriteEndObject();
    }
}
