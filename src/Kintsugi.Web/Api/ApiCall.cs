using System.Globalization;
using System.Text.Json.Nodes;
using Kintsugi.Configuration;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Kintsugi.Web.Api;

/// <summary>Who calls, by which right.</summary>
internal sealed record Caller(string Name, ApiRole Role);

/// <summary>A request that was let in.</summary>
internal sealed class ApiCall(HttpContext context, Caller caller, JsonObject body)
{
    public Caller Caller { get; } = caller;
    public CancellationToken Aborted => context.RequestAborted;

    /// <summary>Where the API begins, as its caller sees it.</summary>
    public string Base => context.Request.PathBase + context.Request.Path.Value![..context.Request.Path.Value!.LastIndexOf('/')];

    public T Need<T>()
        where T : notnull => context.RequestServices.GetRequiredService<T>();

    public string Segment(string name) => (string)context.GetRouteValue(name)!;

    public string? Query(string name) => context.Request.Query.TryGetValue(name, out var values) && values[^1] is { Length: > 0 } text ? text : null;

    public int Query(string name, int otherwise, int most) => Query(name) is not { } text ? otherwise
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= most ? number
        : throw new ApiProblemException(400, $"{name} is a whole number from 1 to {most}, not \"{text}\"");

    public string? Text(string name) => body[name] switch
    {
        null => null,
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        _ => throw new ApiProblemException(400, $"{name} must be a string"),
    };

    public string Needed(string name) => Text(name) is { Length: > 0 } text ? text : throw new ApiProblemException(400, $"{name} is required: say it in the body");

    public DateTimeOffset? Time(string name) => Text(name) is not { } text ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time
        : throw new ApiProblemException(400, $"{name} must be a time such as 2026-01-31T02:00:00Z, not \"{text}\"");

    /// <summary>Fields that the operation does not know are mistakes, as in the configuration.</summary>
    public void MustKnow(IReadOnlyList<ApiField> fields)
    {
        foreach (var (name, _) in body)
            if (fields.All(field => field.Name != name))
                throw new ApiProblemException(400, $"there is no field {name} here; there are: {(fields.Count == 0 ? "none" : string.Join(", ", fields.Select(f => f.Name)))}");
    }
}
