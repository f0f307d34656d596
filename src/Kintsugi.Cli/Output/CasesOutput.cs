using System.Text;
using System.Text.Json;
using Kintsugi.Cli.Runtime;

namespace Kintsugi.Cli.Output;

/// <summary>Cases and their facts in both forms.</summary>
internal static class CasesOutput
{
    public static async ValueTask Text(CliContext context, IReadOnlyList<CaseRow> rows, string ledger)
    {
        if (rows.Count == 0)
        {
            await context.Out.WriteLineAsync($"No case so far in {ledger}.");
            return;
        }
        foreach (var row in rows)
            await context.Out.WriteLineAsync($"{row.Id}  {Paint(context, row.State),-10} {row.Fault,-22} {row.Database}: {row.Object}  "
                + $"{row.LastChanged.UtcDateTime:yyyy-MM-dd HH:mm}{(row.Reason is { } reason ? $"\n              {reason}" : "")}");
    }

    public static async ValueTask Text(CliContext context, CaseRow row, IReadOnlyList<Fact> facts, bool verbose)
    {
        var to = context.Out;
        await to.WriteLineAsync($"case {row.Id}  {Paint(context, row.State)}");
        await to.WriteLineAsync($"{row.Cause}");
        await to.WriteLineAsync($"{row.Fault} in database {row.Database}, server {row.Server}; {Output.Text.Count(row.Attempts, "failed attempt")}"
            + $"{(row.Snapshot is { } snapshot ? $"; snapshot {snapshot}" : "")}");
        await to.WriteLineAsync();
        foreach (var fact in facts)
        {
            await to.WriteLineAsync($"{fact.At.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff}  {fact.Kind,-12} {fact.Summary}");
            if (verbose)
                await to.WriteLineAsync($"  {fact.Data}");
        }
    }

    public static string Json(IReadOnlyList<CaseRow> rows) => Document(json =>
    {
        json.WriteStartArray("cases");
        foreach (var row in rows)
        {
            json.WriteStartObject();
            Fields(json, row);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });

    public static string Json(CaseRow row, IReadOnlyList<Fact> facts) => Document(json =>
    {
        json.WriteStartObject("case");
        Fields(json, row);
        json.WriteEndObject();
        json.WriteStartArray("facts");
        foreach (var fact in facts)
        {
            json.WriteStartObject();
            json.WriteNumber("number", fact.Number);
            json.WriteString("at", fact.At);
            json.WriteString("kind", fact.Kind);
            json.WriteString("summary", fact.Summary);
            JsonText.Raw(json, "data", fact.Data);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });

    private static string Document(Action<Utf8JsonWriter> body)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, JsonText.Options))
        {
            json.WriteStartObject();
            json.WriteString("format", "kintsugi.cases/1");
            body(json);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void Fields(Utf8JsonWriter json, CaseRow row)
    {
        json.WriteString("id", row.Id);
        json.WriteString("server", row.Server);
        json.WriteString("database", row.Database);
        json.WriteString("object", row.Object);
        json.WriteString("fault", row.Fault);
        json.WriteString("cause", row.Cause);
        json.WriteString("state", row.State);
        json.WriteString("reason", row.Reason);
        json.WriteNumber("attempts", row.Attempts);
        json.WriteString("snapshot", row.Snapshot);
        json.WriteString("first_seen", row.FirstSeen);
        json.WriteString("last_changed", row.LastChanged);
    }

    private static string Paint(CliContext context, string state) => Output.Text.Paint(state, state switch
    {
        "healed" or "transient" or "undone" => Output.Text.Green,
        "waiting" or "accepted" => Output.Text.Yellow,
        "escalated" => Output.Text.Red,
        _ => Output.Text.Bold,
    }, context.Colour);
}
