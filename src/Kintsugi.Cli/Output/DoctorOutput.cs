using System.Text;
using System.Text.Json;
using Kintsugi.Cli.Commands;
using Kintsugi.Cli.Runtime;

namespace Kintsugi.Cli.Output;

/// <summary>The doctor's report in both forms.</summary>
internal static class DoctorOutput
{
    public static async ValueTask Text(CliContext context, Clinic clinic, IReadOnlyList<DoctorReport> reports, string? stopped, bool verbose)
    {
        var to = context.Out;
        var server = clinic.Server;
        await to.WriteLineAsync($"PostgreSQL {server.Version} at {clinic.Settings}, system {server.SystemIdentifier}"
            + $"{(server.InRecovery ? ", standby (it can be examined, not repaired)" : ", primary")}");
        await to.WriteLineAsync($"role {server.User}{(server.Superuser ? ", superuser" : "")}; data checksums "
            + (server.DataChecksums switch { true => "on", false => "off", _ => "unknown" }));
        await to.WriteLineAsync(server.FilesReachable
            ? $"the files in {server.DataDirectory} can be read from here"
            : "the server's files cannot be read from here: run on its machine as the owner of the data directory, or name it with -D");
        if (stopped is not null)
            await to.WriteLineAsync(Output.Text.Paint(stopped, Output.Text.Red, context.Colour));
        if (server.Superuser && !server.InRecovery)
            await to.WriteLineAsync("row repairs run as the table's owner (SET ROLE); to keep user code from a superuser session, give heal "
                + "a role of its own: CREATE ROLE kintsugi LOGIN; GRANT <the owners' roles> TO kintsugi;");
        foreach (var report in reports)
        {
            await to.WriteLineAsync();
            await to.WriteLineAsync(Output.Text.Paint($"database {report.Database}", Output.Text.Bold, context.Colour));
            foreach (var (check, lack) in report.Lacks)
                await Check(context, check, lack, verbose);
            var borrowed = report.Can.Extensions.Where(pair => pair.Value.Borrowed).Select(pair => pair.Key).Order(StringComparer.Ordinal).ToList();
            if (borrowed.Count > 0)
                await to.WriteLineAsync($"  {string.Join(", ", borrowed)}: not installed in this database; a superuser's checks borrow their functions for "
                    + "one transaction that is rolled back. Other roles and standbys need them installed: kintsugi doctor --install-missing");
        }
        await to.WriteLineAsync();
        await to.WriteLineAsync("Repairs: " + string.Join(", ", clinic.Registry.Repairs.Select(repair => $"{repair.Id} ({repair.Grade.ToString().ToLowerInvariant()})")));
    }

    private static async ValueTask Check(CliContext context, ICheck check, Lack? lack, bool verbose)
    {
        if (lack is { NotApplicable: true } && !verbose)
            return;
        var mark = lack is null ? Output.Text.Paint("yes", Output.Text.Green, context.Colour)
            : lack.NotApplicable ? Output.Text.Paint("n/a", Output.Text.Dim, context.Colour) : Output.Text.Paint("no ", Output.Text.Yellow, context.Colour);
        await context.Out.WriteLineAsync($"  {mark}  {check.Id,-20} {check.Proves}");
        if (lack is not null)
            await context.Out.WriteLineAsync($"       {"",-20} because {lack.Reason}");
        if (lack?.Remedy is { } remedy)
            await context.Out.WriteLineAsync($"       {"",-20} remedy: {remedy}");
    }

    public static string Json(Clinic clinic, IReadOnlyList<DoctorReport> reports, string? stopped)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, JsonText.Options))
        {
            json.WriteStartObject();
            json.WriteString("format", "kintsugi.doctor/1");
            JsonText.Server(json, clinic.Server, clinic.Settings.ToString());
            json.WriteBoolean("standby", clinic.Server.InRecovery);
            json.WriteBoolean("superuser", clinic.Server.Superuser);
            json.WriteBoolean("files_reachable", clinic.Server.FilesReachable);
            json.WriteString("repairs_stopped", stopped);
            json.WriteStartArray("databases");
            foreach (var report in reports)
                Database(json, report);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void Database(Utf8JsonWriter json, DoctorReport report)
    {
        json.WriteStartObject();
        json.WriteString("database", report.Database);
        json.WriteStartArray("checks");
        foreach (var (check, lack) in report.Lacks)
        {
            json.WriteStartObject();
            json.WriteString("check", check.Id);
            json.WriteString("proves", check.Proves);
            json.WriteString("depth", check.Depth.ToString().ToLowerInvariant());
            json.WriteString("lock", check.Needs.Lock);
            json.WriteString("state", lack is null ? "available" : lack.NotApplicable ? "not_applicable" : "lacking");
            json.WriteString("reason", lack?.Reason);
            json.WriteString("remedy", lack?.Remedy);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
