using System.Text.Json.Nodes;
using Kintsugi.Configuration;

namespace Kintsugi.Web.Api;

/// <summary>One operation of the API: the router, the guard at the door and the OpenAPI document read the same line.</summary>
/// <param name="Role">The least role that may use it.</param>
internal sealed record ApiRoute(string Method, string Path, ApiRole Role, string Summary, Func<ApiCall, ValueTask<JsonNode>> Answer)
{
    public IReadOnlyList<ApiField> Query { get; init; } = [];
    public IReadOnlyList<ApiField> Body { get; init; } = [];

    public static ApiRoute Get(string path, string summary, Func<ApiCall, ValueTask<JsonNode>> answer, params ApiField[] query) =>
        new("GET", path, ApiRole.Viewer, summary, answer) { Query = query };

    public static ApiRoute Post(string path, ApiRole role, string summary, Func<ApiCall, ValueTask<JsonNode>> answer, params ApiField[] body) =>
        new("POST", path, role, summary, answer) { Body = body };
}

/// <param name="Type">string, integer or date-time.</param>
internal sealed record ApiField(string Name, string Type, string Description, bool Required = false);

/// <summary>What the caller did wrong, or what stands in the way, as an HTTP status and a sentence.</summary>
internal sealed class ApiProblemException(int status, string message) : Exception(message)
{
    public int Status { get; } = status;

    public static ApiProblemException NotFound(string message) => new(404, message);
}

/// <summary>All operations.</summary>
internal static class ApiRoutes
{
    public const string Prefix = "/api/v1";

    public static IReadOnlyList<ApiRoute> All { get; } =
    [
        ApiRoute.Get("/openapi.json", "This document.", call => ValueTask.FromResult<JsonNode>(OpenApiDocument.Write(call.Base))),
        .. TargetRoutes.All,
        .. CaseRoutes.All,
        .. WordRoutes.All,
        .. JobRoutes.All,
        .. RecordRoutes.All,
    ];
}
