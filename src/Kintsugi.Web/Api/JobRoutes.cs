using System.Text.Json.Nodes;
using Kintsugi.Configuration;
using Kintsugi.Hosting;
using Kintsugi.State;

namespace Kintsugi.Web.Api;

/// <summary>The jobs and the switches that a person has.</summary>
internal static class JobRoutes
{
    private static readonly ApiField Target = new("target", "string", "Only of this target; of all unless said.");
    private static readonly ApiField Argument = new("argument", "string", "Of db.index_check: one table; of db.repair: the case.");
    private static readonly ApiField Because = new("because", "string", "Why; others read it.", Required: true);

    public static IReadOnlyList<ApiRoute> All { get; } =
    [
        ApiRoute.Get("/jobs", "The schedule of every target, and whether repairs are paused.", List),
        ApiRoute.Get("/jobs/runs", "What ran, the newest first.", call => ValueTask.FromResult<JsonNode>(new JsonObject
        {
            ["runs"] = ApiJson.List(call.Need<IJobBoard>().History(call.Query("limit", 100, 1000)), Run),
        }), new ApiField("limit", "integer", "At most so many; 100 unless said, up to 1000.")),
        ApiRoute.Post("/jobs/{job}/run", ApiRole.Operator, "Runs a job now.", async call =>
        {
            await call.Need<IJobBoard>().Run(Job(call), call.Text("target"), call.Text("argument"), call.Aborted);
            return new JsonObject { ["started"] = true };
        }, Target, Argument),
        ApiRoute.Post("/jobs/{job}/cancel", ApiRole.Operator, "Cancels what runs of a job, on whichever node.", async call => new JsonObject
        {
            ["cancelled"] = await call.Need<IJobBoard>().Cancel(Job(call), call.Text("target"), call.Text("argument"), call.Caller.Name, call.Aborted),
        }, Target, Argument),
        ApiRoute.Post("/jobs/{job}/pause", ApiRole.Operator, "Lets a job rest until it is resumed.", async call =>
        {
            await call.Need<IJobBoard>().Pause(Job(call), call.Needed("because"), call.Caller.Name, call.Aborted);
            return await List(call);
        }, Because),
        ApiRoute.Post("/jobs/{job}/resume", ApiRole.Operator, "Lets it run again.", async call =>
        {
            await call.Need<IJobBoard>().Resume(Job(call), call.Aborted);
            return await List(call);
        }),
        ApiRoute.Post("/repairs/pause", ApiRole.Operator, "Lets no new repair begin, on any target.", async call =>
        {
            call.Need<IJobBoard>().PauseRepairs(call.Time("until"), call.Needed("because"), call.Caller.Name);
            return await List(call);
        }, Because, new ApiField("until", "date-time", "When they begin again; not before they are resumed unless said.")),
        ApiRoute.Post("/repairs/resume", ApiRole.Operator, "Lets repairs begin again.", async call =>
        {
            call.Need<IJobBoard>().ResumeRepairs();
            return await List(call);
        }),
    ];

    private static string Job(ApiCall call) => JobNames.All.Contains(call.Segment("job")) ? call.Segment("job")
        : throw ApiProblemException.NotFound($"there is no job {call.Segment("job")}; there are: {string.Join(", ", JobNames.All)}");

    private static async ValueTask<JsonNode> List(ApiCall call)
    {
        var board = call.Need<IJobBoard>();
        return new JsonObject
        {
            ["jobs"] = ApiJson.List(await board.List(call.Aborted), job => new JsonObject
            {
                ["job"] = job.Job,
                ["target"] = job.Target,
                ["interval_seconds"] = job.Interval.TotalSeconds,
                ["next"] = ApiJson.Time(job.Next),
                ["previous"] = ApiJson.Time(job.Previous),
                ["paused"] = Paused(job.Paused),
            }),
            ["repairs_paused"] = Paused(board.RepairPause),
            ["nodes"] = ApiJson.List(board.Nodes, node => new JsonObject
            {
                ["name"] = node.Name,
                ["configuration"] = node.Configuration,
                ["version"] = node.Version,
                ["started"] = ApiJson.Time(node.Started),
            }),
        };
    }

    private static JsonObject? Paused(Switch? pause) => pause is null ? null : new JsonObject
    {
        ["until"] = ApiJson.Time(pause.Until),
        ["because"] = pause.Because,
        ["by"] = pause.By,
    };

    private static JsonNode Run(JobRun run) => new JsonObject
    {
        ["id"] = run.Id,
        ["job"] = run.Job,
        ["target"] = run.Target,
        ["argument"] = run.Argument,
        ["state"] = run.State,
        ["started"] = ApiJson.Time(run.Started),
        ["ended"] = ApiJson.Time(run.Ended),
        ["message"] = run.Message,
        ["node"] = run.Node,
        ["units"] = new JsonObject(run.Units.Select(node => KeyValuePair.Create(node.Key, (JsonNode?)node.Value))),
    };
}
