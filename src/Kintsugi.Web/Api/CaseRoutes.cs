using System.Text.Json.Nodes;
using Kintsugi.Hosting;

namespace Kintsugi.Web.Api;

/// <summary>Cases, their findings and their plans, as the ledger has them.</summary>
internal static class CaseRoutes
{
    private static readonly ApiField[] Which =
    [
        new("state", "string", "Only cases in this state; open for all that are not closed."),
        new("fault", "string", "Only cases of this fault class."),
        new("limit", "integer", "At most so many, the newest first; 100 unless said, up to 1000."),
    ];

    public static IReadOnlyList<ApiRoute> All { get; } =
    [
        ApiRoute.Get("/cases", "Cases.", async call => new JsonObject { ["cases"] = ApiJson.List(await Chosen(call), Row) }, Which),
        ApiRoute.Get("/cases/{id}", "A case with every fact of its life, its findings and its newest plan.", One),
        ApiRoute.Get("/findings", "What the cases accuse, open ones unless said otherwise.", async call =>
        {
            var findings = new JsonArray();
            foreach (var row in await Chosen(call, "open"))
                foreach (var finding in (await History(call, row.Id)).ReadCase(row.Id)?.Findings ?? [])
                    findings.Add(new JsonObject { ["case"] = row.Id, ["finding"] = ApiJson.Of(json => FindingJson.Write(json, finding)) });
            return new JsonObject { ["findings"] = findings };
        }, Which),
        ApiRoute.Get("/plans", "The newest plan of each case, of open ones unless said otherwise.", async call =>
        {
            var plans = new JsonArray();
            foreach (var row in await Chosen(call, "open"))
                if ((await History(call, row.Id)).ReadPlan() is { } plan)
                    plans.Add(new JsonObject { ["case"] = row.Id, ["state"] = row.State, ["reason"] = row.Reason, ["plan"] = ApiJson.Of(json => PlanJson.Write(json, plan)) });
            return new JsonObject { ["plans"] = plans };
        }, Which),
    ];

    /// <exception cref="ApiProblemException">There is no such case.</exception>
    public static async ValueTask<(CaseRow Row, IReadOnlyList<Fact> Facts)> Find(ApiCall call)
    {
        var id = call.Segment("id");
        return await call.Need<ICaseDesk>().Show(id, call.Aborted) ?? throw ApiProblemException.NotFound($"there is no case {id}");
    }

    public static JsonNode Row(CaseRow row) => new JsonObject
    {
        ["id"] = row.Id,
        ["server"] = row.Server,
        ["database"] = row.Database,
        ["object"] = row.Object,
        ["fault"] = row.Fault,
        ["cause"] = row.Cause,
        ["state"] = row.State,
        ["reason"] = row.Reason,
        ["attempts"] = row.Attempts,
        ["snapshot"] = row.Snapshot,
        ["first_seen"] = ApiJson.Time(row.FirstSeen),
        ["last_changed"] = ApiJson.Time(row.LastChanged),
    };

    public static JsonNode Fact(Fact fact) => new JsonObject
    {
        ["number"] = fact.Number,
        ["case"] = fact.Case,
        ["at"] = ApiJson.Time(fact.At),
        ["kind"] = fact.Kind,
        ["summary"] = fact.Summary,
        ["data"] = fact.Data.Length == 0 ? null : JsonNode.Parse(fact.Data),
    };

    private static async ValueTask<JsonNode> One(ApiCall call)
    {
        var (row, facts) = await Find(call);
        var history = new CaseHistory(facts);
        var answer = (JsonObject)Row(row);
        answer["findings"] = ApiJson.List(history.ReadCase(row.Id)?.Findings ?? [], finding => ApiJson.Of(json => FindingJson.Write(json, finding)));
        answer["plan"] = history.ReadPlan() is { } plan ? ApiJson.Of(json => PlanJson.Write(json, plan)) : null;
        answer["facts"] = ApiJson.List(facts, Fact);
        return answer;
    }

    private static async ValueTask<CaseHistory> History(ApiCall call, string id) => new(await call.Need<ILedger>().FactsOf(id, call.Aborted));

    private static async ValueTask<List<CaseRow>> Chosen(ApiCall call, string? otherwise = null)
    {
        var (state, fault, limit) = (call.Query("state") ?? otherwise, call.Query("fault"), call.Query("limit", 100, 1000));
        var rows = await call.Need<ICaseDesk>().List(call.Aborted);
        return [.. rows.Where(row => (state is null or "all" || row.State == state || (state == "open" && !IsClosed(row.State))) && (fault is null || row.Fault == fault))
            .OrderByDescending(row => row.LastChanged).Take(limit)];
    }

    private static bool IsClosed(string state) => state is "healed" or "transient" or "undone" or "rejected" or "accepted";
}
