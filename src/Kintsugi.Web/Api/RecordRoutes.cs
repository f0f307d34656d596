using System.Text.Json.Nodes;
using Kintsugi.Hosting;
using Kintsugi.State;

namespace Kintsugi.Web.Api;

/// <summary>What was kept: copies of what repairs altered, and the ledger.</summary>
internal static class RecordRoutes
{
    public static IReadOnlyList<ApiRoute> All { get; } =
    [
        ApiRoute.Get("/snapshots", "Every snapshot that is kept here.", call => ValueTask.FromResult<JsonNode>(new JsonObject
        {
            ["snapshots"] = ApiJson.List(Shelf(call).List(), Snapshot),
        })),
        ApiRoute.Get("/ledger", "Facts about cases, the newest first.", Ledger,
            new ApiField("case", "string", "Only of this case."), new ApiField("limit", "integer", "At most so many; 100 unless said, up to 1000.")),
        ApiRoute.Get("/ledger/proof", "Whether the chain of the ledger's facts is whole.", async call =>
        {
            var broken = await call.Need<StoredLedger>().Verify(call.Aborted);
            return new JsonObject { ["whole"] = broken.Count == 0, ["broken"] = ApiJson.List(broken, text => JsonValue.Create(text)) };
        }),
    ];

    private static SnapshotStore Shelf(ApiCall call) => new(
        call.Need<ConfigurationSource>().Current.Snapshots.Directory ?? call.Need<StateDirectory>().Snapshots, new SnapshotStoreSettings(), call.Need<TimeProvider>());

    private static async ValueTask<JsonNode> Ledger(ApiCall call)
    {
        var (limit, ledger) = (call.Query("limit", 100, 1000), call.Need<ILedger>());
        // A case that did not change lately has no new facts: so many cases are enough.
        var cases = call.Query("case") is { } one ? [one]
            : (await ledger.Cases(null, call.Aborted)).OrderByDescending(row => row.LastChanged).Take(limit).Select(row => row.Id).ToList();
        var facts = new List<Fact>();
        foreach (var id in cases)
            facts.AddRange(await ledger.FactsOf(id, call.Aborted));
        return new JsonObject { ["facts"] = ApiJson.List(facts.OrderByDescending(fact => fact.Number).Take(limit), CaseRoutes.Fact) };
    }

    private static JsonNode Snapshot(SnapshotManifest manifest) => new JsonObject
    {
        ["id"] = manifest.Id,
        ["case"] = manifest.Case,
        ["why"] = manifest.Why,
        ["grade"] = manifest.Grade.ToString().ToLowerInvariant(),
        ["server"] = manifest.Server,
        ["database"] = manifest.Database,
        ["created"] = ApiJson.Time(manifest.Created),
        ["files"] = manifest.Files.Count,
        ["objects"] = ApiJson.List(manifest.Objects, item => JsonValue.Create(item.Name)),
    };
}
