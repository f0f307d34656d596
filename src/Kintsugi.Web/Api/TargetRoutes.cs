using System.Text.Json.Nodes;
using Kintsugi.Hosting;

namespace Kintsugi.Web.Api;

internal static class TargetRoutes
{
    public static IReadOnlyList<ApiRoute> All { get; } =
    [
        ApiRoute.Get("/targets", "The servers under care and how they stand.", call => ValueTask.FromResult<JsonNode>(new JsonObject
        {
            ["targets"] = ApiJson.List(call.Need<IKintsugiTargets>().All, Target),
        })),
    ];

    private static JsonObject Target(TargetStatus target) => new()
    {
        ["name"] = target.Name,
        ["mode"] = target.Mode.ToString().ToLowerInvariant(),
        ["reachable"] = target.Reachable,
        ["reason"] = target.Reason,
        ["system_identifier"] = target.SystemIdentifier,
        ["version"] = target.Version,
        ["databases"] = ApiJson.List(target.Databases, name => JsonValue.Create(name)),
        ["last_health_check"] = ApiJson.Time(target.LastHealthCheck),
    };
}
