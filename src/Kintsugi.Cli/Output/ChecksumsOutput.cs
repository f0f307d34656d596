using System.Globalization;
using System.Text;
using System.Text.Json;
using Kintsugi.Postgres.Files.Checksums;
using Kintsugi.Postgres.Files.Offline;

namespace Kintsugi.Cli.Output;

/// <summary>What `kintsugi checksums` prints.</summary>
internal static class ChecksumsOutput
{
    public static string Text(ChecksumReport report)
    {
        var text = new StringBuilder();
        foreach (var page in report.Bad)
            text.AppendLine(CultureInfo.InvariantCulture,
                $"{page.Path}: block {page.Block}: the stored checksum is {page.Stored:X4}, the bytes give {page.Computed:X4}");
        foreach (var (file, why) in report.Unreadable)
            text.AppendLine(CultureInfo.InvariantCulture, $"{file}: {why}");
        return text.Append(CultureInfo.InvariantCulture,
            $"{report.Blocks:N0} pages in {report.Files:N0} files read, {report.Bad.Count:N0} with a wrong checksum.").ToString();
    }

    public static string Text(DataDirectory directory) =>
        $"{directory.Path}: PostgreSQL {directory.Major}, checksums {State(directory)}, "
        + (directory.ServerPid is { } pid ? $"a server runs on it (process {pid})"
            : directory.IsShutDown ? "shut down cleanly"
            : $"no server, not shut down cleanly (state: {directory.Control?.State.ToString() ?? "unknown"})");

    public static string Json(string verb, DataDirectory directory, ChecksumReport? report)
    {
        using var memory = new MemoryStream();
        using (var json = new Utf8JsonWriter(memory, JsonText.Options))
        {
            json.WriteStartObject();
            json.WriteString("format", "kintsugi.checksums/1");
            json.WriteString("action", verb);
            json.WriteString("data_directory", directory.Path);
            json.WriteString("checksums", State(directory));
            json.WriteBoolean("server_running", directory.ServerPid is not null);
            json.WriteBoolean("shut_down", directory.IsShutDown);
            if (report is not null)
                Write(json, report);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(memory.ToArray());
    }

    private static void Write(Utf8JsonWriter json, ChecksumReport report)
    {
        json.WriteNumber("files", report.Files);
        json.WriteNumber("blocks", report.Blocks);
        json.WriteNumber("written", report.Written);
        json.WriteStartArray("bad");
        foreach (var page in report.Bad)
        {
            json.WriteStartObject();
            json.WriteString("file", page.Path);
            json.WriteNumber("block", page.Block);
            json.WriteNumber("stored", page.Stored);
            json.WriteNumber("computed", page.Computed);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartObject("unreadable");
        foreach (var (file, why) in report.Unreadable)
            json.WriteString(file, why);
        json.WriteEndObject();
    }

    private static string State(DataDirectory directory) =>
        !directory.IsControlTrusted ? "unknown" : directory.Control!.ChecksumVersion != 0 ? "on" : "off";
}
