using System.Text.Json.Nodes;

namespace Kintsugi.Web.Api;

/// <summary>The API as OpenAPI 3.1, written from the same lines that the router reads.</summary>
internal static class OpenApiDocument
{
    public static JsonObject Write(string server)
    {
        var paths = new JsonObject();
        foreach (var path in ApiRoutes.All.GroupBy(route => route.Path))
        {
            var operations = new JsonObject();
            foreach (var route in path)
                operations[route.Method.ToLowerInvariant()] = Operation(route);
            paths[path.Key] = operations;
        }
        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject { ["title"] = "Kintsugi", ["version"] = "v1" },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = server }),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["securitySchemes"] = new JsonObject { ["key"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer" } },
                ["schemas"] = new JsonObject
                {
                    ["Problem"] = Object([new ApiField("status", "integer", "The HTTP status.", true), new ApiField("detail", "string", "What is wrong and what to do.", true)]),
                },
            },
            ["security"] = new JsonArray(new JsonObject { ["key"] = new JsonArray() }),
        };
    }

    private static JsonObject Operation(ApiRoute route)
    {
        var operation = new JsonObject
        {
            ["summary"] = route.Summary,
            ["operationId"] = $"{route.Method.ToLowerInvariant()}{string.Concat(route.Path.Split('/', '.', '{', '}').Select(word => word.Length == 0 ? "" : char.ToUpperInvariant(word[0]) + word[1..]))}",
            ["description"] = $"Needs the role {route.Role.ToString().ToLowerInvariant()}.",
            ["parameters"] = new JsonArray([.. Segments(route).Select(name => Parameter("path", new ApiField(name, "string", "", true))),
                .. route.Query.Select(field => Parameter("query", field))]),
            ["responses"] = new JsonObject
            {
                ["200"] = new JsonObject { ["description"] = "Done.", ["content"] = Content("application/json", new JsonObject { ["type"] = "object" }) },
                ["default"] = new JsonObject
                {
                    ["description"] = "Refused.",
                    ["content"] = Content("application/problem+json", new JsonObject { ["$ref"] = "#/components/schemas/Problem" }),
                },
            },
        };
        if (route.Method == "POST")
            operation["requestBody"] = new JsonObject { ["required"] = route.Body.Any(field => field.Required), ["content"] = Content("application/json", Object(route.Body)) };
        return operation;
    }

    private static IEnumerable<string> Segments(ApiRoute route) => route.Path.Split('/').Where(part => part.StartsWith('{')).Select(part => part.Trim('{', '}'));

    private static JsonObject Parameter(string place, ApiField field) => new JsonObject
    {
        ["name"] = field.Name, ["in"] = place, ["required"] = field.Required, ["description"] = field.Description, ["schema"] = Schema(field),
    };

    private static JsonObject Object(IReadOnlyList<ApiField> fields) => new()
    {
        ["type"] = "object",
        ["properties"] = new JsonObject(fields.Select(field => KeyValuePair.Create<string, JsonNode?>(field.Name, Schema(field)))),
        ["required"] = new JsonArray([.. fields.Where(field => field.Required).Select(field => JsonValue.Create(field.Name))]),
        ["additionalProperties"] = false,
    };

    private static JsonObject Schema(ApiField field) => field.Type == "date-time"
        ? new JsonObject { ["type"] = "string", ["format"] = "date-time", ["description"] = field.Description }
        : new JsonObject { ["type"] = field.Type, ["description"] = field.Description };

    private static JsonObject Content(string type, JsonObject schema) => new() { [type] = new JsonObject { ["schema"] = schema } };
}
