using System.Text.Json.Nodes;
using Kintsugi.Configuration;
using Kintsugi.Hosting;

namespace Kintsugi.Web.Api;

/// <summary>What a person says of a case. Who said it is the key's or the person's name, never a field of the request.</summary>
internal static class WordRoutes
{
    private static readonly ApiField Because = new("because", "string", "Why; stands in the ledger.");

    public static IReadOnlyList<ApiRoute> All { get; } =
    [
        ApiRoute.Post("/cases/{id}/approve", ApiRole.Operator, "Approves the plan that was read; a plan that loses information takes an admin.", Approve,
            new ApiField("plan", "string", "The hash of the plan that was read.", Required: true), Because),
        ApiRoute.Post("/cases/{id}/reject", ApiRole.Operator, "Nothing is to be done about it.", call => Say(call, Facts.Rejected), Because),
        ApiRoute.Post("/cases/{id}/retry", ApiRole.Operator, "Lets it be tried again after its attempts were used up.", call => Say(call, Facts.Retried), Because),
        ApiRoute.Post("/cases/{id}/accept", ApiRole.Operator, "A known state: neither alert nor repair.", call => Say(call, Facts.Accepted, mustSayWhy: true),
            Because with { Required = true }, new ApiField("until", "date-time", "When it counts again.")),
        ApiRoute.Post("/cases/{id}/acknowledge", ApiRole.Operator, "It was there before the service first looked, and may be repaired.",
            call => Say(call, Facts.Acknowledged), Because),
        ApiRoute.Post("/cases/{id}/undo", ApiRole.Admin, "Puts back every row that the case changed.", async call =>
        {
            var (row, _) = await CaseRoutes.Find(call);
            return new JsonObject { ["case"] = row.Id, ["rows_put_back"] = await call.Need<ICaseDesk>().Undo(row.Id, call.Caller.Name, call.Aborted) };
        }),
    ];

    private static async ValueTask<JsonNode> Approve(ApiCall call)
    {
        var (_, facts) = await CaseRoutes.Find(call);
        if (new CaseHistory(facts).ReadPlan() is { Grade: Grade.Lossy } && call.Caller.Role < ApiRole.Admin)
            throw new ApiProblemException(403, "this plan loses information: an admin approves it");
        return await Say(call, Facts.Approved, plan: call.Needed("plan"));
    }

    private static async ValueTask<JsonNode> Say(ApiCall call, string word, string? plan = null, bool mustSayWhy = false)
    {
        var (row, _) = await CaseRoutes.Find(call);
        var because = mustSayWhy ? call.Needed("because") : call.Text("because");
        await call.Need<ICaseDesk>().Say(row.Id, word, call.Caller.Name, because, word == Facts.Accepted ? call.Time("until") : null, plan, call.Aborted);
        return CaseRoutes.Row((await CaseRoutes.Find(call)).Row);
    }
}
