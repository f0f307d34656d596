using System.Text;
using System.Text.Json;
using Kintsugi.Cli.Commands;
using Kintsugi.Cli.Runtime;
using Kintsugi.State;

namespace Kintsugi.Cli.Output;

/// <summary>Schedule, pauses and runs in both forms.</summary>
internal static class JobsOutput
{
    public static async ValueTask Text(CliContext context, JobsListing it)
    {
        var to = context.Out;
        if (!it.Served)
            await to.WriteLineAsync("No service works here now; this is how the last one left it.");
        var alike = it.Nodes.Select(node => node.Configuration).Distinct().Count() < 2;
        if (it.Nodes.Count > 1)
            foreach (var node in it.Nodes)
                await to.WriteLineAsync($"node {node.Name} since {Minute(node.Started)}{(alike ? "" : $", configuration {node.Configuration}: THE NODES DIFFER")}");
        foreach (var pause in it.Pauses)
            await to.WriteLineAsync(Output.Text.Paint(
                $"PAUSED {pause.Name} {PauseCommand.Until(pause)}, by {pause.By}: {pause.Because}", Output.Text.Yellow, context.Colour));
        foreach (var job in it.Planned)
            await to.WriteLineAsync($"{job.Target,-16} {job.Job,-20} every {Output.Text.Time(job.Interval),-12} last {Minute(job.Previous)}  next {Minute(job.Next)}");
        if (it.Runs.Count > 0)
            await to.WriteLineAsync();
        foreach (var run in it.Runs)
            await to.WriteLineAsync($"{run.Started.UtcDateTime:yyyy-MM-dd HH:mm:ss}  {run.Target,-16} {run.Job,-20} {run.State,-10} {run.Argument} {run.Message}".TrimEnd());
    }

    public static string Json(JobsListing it)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, JsonText.Options))
        {
            json.WriteStartObject();
            json.WriteString("format", "kintsugi.jobs/1");
            json.WriteBoolean("served", it.Served);
            Each(json, "nodes", it.Nodes, node =>
            {
                json.WriteString("name", node.Name);
                json.WriteString("configuration", node.Configuration);
                json.WriteString("version", node.Version);
                Time(json, "started", node.Started);
            });
            Each(json, "pauses", it.Pauses, pause =>
            {
                json.WriteString("name", pause.Name);
                Time(json, "until", pause.Until);
                json.WriteString("because", pause.Because);
                json.WriteString("by", pause.By);
            });
            Each(json, "jobs", it.Planned, job =>
            {
                json.WriteString("target", job.Target);
                json.WriteString("job", job.Job);
                json.WriteNumber("interval_seconds", job.Interval.TotalSeconds);
                Time(json, "previous", job.Previous);
                Time(json, "next", job.Next);
            });
            Each(json, "runs", it.Runs, run =>
            {
                json.WriteNumber("id", run.Id);
                json.WriteString("target", run.Target);
                json.WriteString("job", run.Job);
                json.WriteString("argument", run.Argument);
                json.WriteString("state", run.State);
                Time(json, "started", run.Started);
                Time(json, "ended", run.Ended);
                json.WriteString("message", run.Message);
                json.WriteString("node", run.Node);
                json.WriteStartObject("units");
                foreach (var (node, units) in run.Units)
                    json.WriteNumber(node, units);
                json.WriteEndObject();
            });
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void Each<T>(Utf8JsonWriter json, string name, IReadOnlyList<T> items, Action<T> fields)
    {
        json.WriteStartArray(name);
        foreach (var item in items)
        {
            json.WriteStartObject();
            fields(item);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void Time(Utf8JsonWriter json, string name, DateTimeOffset? at)
    {
        if (at is { } time)
            json.WriteString(name, time);
        else
            json.WriteNull(name);
    }

    private static string Minute(DateTimeOffset? at) => at is { } time ? time.UtcDateTime.ToString("yyyy-MM-dd HH:mm") : "never           ";
}

/// <param name="Served">A service works with these books now.</param>
internal sealed record JobsListing(bool Served, IReadOnlyList<WorkingNode> Nodes, IReadOnlyList<PlannedJob> Planned, IReadOnlyList<Switch> Pauses, IReadOnlyList<JobRun> Runs);
