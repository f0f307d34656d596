using System.Text;
using System.Text.Json;

namespace Kintsugi;

/// <summary>A plan as JSON: what the ledger keeps, what a plan file holds, what an approval was given for.</summary>
public static class PlanJson
{
    public static string Write(Plan plan)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
            Write(json, plan);
        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    public static void Write(Utf8JsonWriter json, Plan plan)
    {
        json.WriteStartObject();
        json.WriteString("repair", plan.Repair);
        json.WriteString("case", plan.Case);
        json.WriteString("hash", plan.Hash);
        json.WriteString("grade", plan.Grade.ToString().ToLowerInvariant());
        json.WriteString("snapshot", plan.Snapshot.ToString().ToLowerInvariant());
        json.WriteNumber("rows_quarantined", plan.RowsQuarantined);
        json.WriteNumber("rows_changed", plan.RowsChanged);
        json.WriteNumber("rows_lost", plan.RowsLost);
        json.WriteNumber("table_rows", double.IsFinite(plan.TableRows) ? plan.TableRows : 0);
        json.WriteNumber("disk_bytes", plan.DiskBytes);
        json.WriteBoolean("needs_window", plan.NeedsWindow);
        json.WriteString("needs_approval", plan.NeedsApproval);
        json.WriteBoolean("chosen_by_owner", plan.ChosenByOwner);
        json.WriteStartArray("warnings");
        foreach (var warning in plan.Warnings)
            json.WriteStringValue(warning);
        json.WriteEndArray();
        json.WriteStartArray("alters");
        foreach (var target in plan.Alters)
            TargetJson.Write(json, target);
        json.WriteEndArray();
        json.WriteStartArray("steps");
        foreach (var step in plan.Steps)
            Write(json, step);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, Step step)
    {
        json.WriteStartObject();
        json.WriteString("kind", step.Kind);
        json.WriteString("do", step.Do);
        json.WriteString("database", step.Database);
        json.WriteString("lock", step.Lock);
        json.WriteString("why", step.Why);
        json.WriteString("grade", step.Grade.ToString().ToLowerInvariant());
        json.WriteStartObject("arguments");
        foreach (var (name, value) in step.Arguments)
            json.WriteString(name, value);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <exception cref="FormatException">It is not a plan, or it was altered after it was written: its hash does not match.</exception>
    public static Plan Read(JsonElement json)
    {
        try
        {
            var plan = new Plan(json.GetProperty("repair").GetString()!, [.. json.GetProperty("steps").EnumerateArray().Select(ReadStep)])
            {
                Case = json.GetProperty("case").GetString()!,
                Snapshot = Enum.Parse<SnapshotGrade>(json.GetProperty("snapshot").GetString()!, ignoreCase: true),
                RowsQuarantined = json.GetProperty("rows_quarantined").GetInt64(),
                RowsChanged = json.GetProperty("rows_changed").GetInt64(),
                RowsLost = json.GetProperty("rows_lost").GetInt64(),
                TableRows = json.GetProperty("table_rows").GetDouble(),
                DiskBytes = json.GetProperty("disk_bytes").GetInt64(),
                NeedsWindow = json.GetProperty("needs_window").GetBoolean(),
                NeedsApproval = json.GetProperty("needs_approval").GetString(),
                ChosenByOwner = json.GetProperty("chosen_by_owner").GetBoolean(),
                Warnings = [.. json.GetProperty("warnings").EnumerateArray().Select(item => item.GetString()!)],
                Alters = [.. json.GetProperty("alters").EnumerateArray().Select(TargetJson.Read)],
            };
            return plan.Hash == json.GetProperty("hash").GetString()
                ? plan
                : throw new FormatException("the plan was altered after it was written: its hash does not match");
        }
        catch (Exception problem) when (problem is KeyNotFoundException or InvalidOperationException or ArgumentException)
        {
            throw new FormatException($"this is not a plan: {problem.Message}", problem);
        }
    }

    /// <summary>How much that plan would do, without its steps and its hash.</summary>
    public static PlanExtent ReadExtent(string text)
    {
        using var json = JsonDocument.Parse(text);
        return new PlanExtent(Number("rows_quarantined") + Number("rows_changed"), Number("disk_bytes"));

        long Number(string name) => json.RootElement.GetProperty(name).GetInt64();
    }

    private static Step ReadStep(JsonElement json) => new(json.GetProperty("kind").GetString()!, json.GetProperty("do").GetString()!)
    {
        Database = json.GetProperty("database").GetString(),
        Lock = json.GetProperty("lock").GetString()!,
        Why = json.GetProperty("why").GetString()!,
        Grade = Enum.Parse<Grade>(json.GetProperty("grade").GetString()!, ignoreCase: true),
        Arguments = json.GetProperty("arguments").EnumerateObject().ToDictionary(item => item.Name, item => item.Value.GetString()!),
    };
}

/// <param name="Rows">That leave their table or change.</param>
/// <param name="Bytes">Written to disk.</param>
public readonly record struct PlanExtent(long Rows, long Bytes);
