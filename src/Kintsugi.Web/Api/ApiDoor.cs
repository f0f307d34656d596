using System.Text.Json;
using System.Text.Json.Nodes;
using Kintsugi.Configuration;
using Kintsugi.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Kintsugi.Web.Api;

/// <summary>Lets requests in: who calls, how often, with which right and how much; answers in JSON whatever happens.</summary>
internal sealed class ApiDoor : IDisposable
{
    private static readonly JsonSerializerOptions Written = new(JsonSerializerDefaults.Web) { WriteIndented = false };
    private readonly Callers callers;
    private readonly RequestLimits limits;
    private readonly KintsugiWebOptions options;
    private readonly ILogger<ApiDoor> log;

    public ApiDoor(ConfigurationSource configuration, KintsugiWebOptions options, IEnumerable<ITokenReader> tokens, ILogger<ApiDoor> log)
    {
        callers = new Callers(configuration, options, [.. tokens]);
        limits = new RequestLimits(options);
        this.options = options;
        this.log = log;
    }

    public RequestDelegate Guard(ApiRoute route) => async context =>
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        try
        {
            var caller = await LetIn(context, route);
            var call = new ApiCall(context, caller, await Body(context, route));
            call.MustKnow(route.Body);
            var answer = await route.Answer(call);
            await Write(context, 200, answer, "application/json");
        }
        catch (Exception problem) when (Told(problem) is { } told)
        {
            await Refuse(context, told.Status, told.Message);
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            // Whatever it says may quote what the caller must not see: it goes to the log alone.
            WebLog.Failed(log, problem, route.Method, route.Path);
            await Refuse(context, 500, "it went wrong on this side; the service's log says how");
        }
    };

    public void Dispose() => limits.Dispose();

    /// <summary>Failures that are the caller's or the patient's, and safe to tell.</summary>
    private static (int Status, string Message)? Told(Exception problem) => problem switch
    {
        ApiProblemException own => (own.Status, own.Message),
        ArgumentException refused => (400, Sentence(refused)),
        NotNowException refused => (409, refused.Message),
        HealingException refused => (409, refused.Message),
        PatientException patient => (502, $"the patient: {patient.Message}"),
        BadHttpRequestException bad => (bad.StatusCode, bad.Message),
        _ => null,
    };

    /// <summary>Without the name of the parameter, which is nobody's business here.</summary>
    private static string Sentence(ArgumentException problem) => problem.ParamName is { } name
        ? problem.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal)
        : problem.Message;

    private async ValueTask<Caller> LetIn(HttpContext context, ApiRoute route)
    {
        var from = context.Connection.RemoteIpAddress?.ToString() ?? "unknown";
        if (context.Request.Headers.Authorization.Count > 0 && !limits.MayShowKey(from))
            throw new ApiProblemException(429, "too many wrong keys from this address; wait");
        var (caller, wrongKey) = await callers.Identify(context);
        if (caller is null)
        {
            if (wrongKey && !limits.WrongKey(from))
                throw new ApiProblemException(429, "too many wrong keys from this address; wait");
            context.Response.Headers.WWWAuthenticate = "Bearer";
            throw new ApiProblemException(401, wrongKey ? "this key is not known" : "an API key is needed: Authorization: Bearer KEY, with its SHA-256 under http: api_keys");
        }
        if (!limits.Request($"{caller.Name} {from}"))
        {
            context.Response.Headers.RetryAfter = "1";
            throw new ApiProblemException(429, $"more than {options.RequestsPerSecond} requests in a second; wait");
        }
        return caller.Role >= route.Role ? caller
            : throw new ApiProblemException(403, $"this needs the role {Word(route.Role)}; {caller.Name} is {Word(caller.Role)}");
    }

    private async ValueTask<JsonObject> Body(HttpContext context, ApiRoute route)
    {
        if (route.Method != "POST")
            return [];
        // A page of another site cannot send this type without asking first: that keeps it from using a person's cookies.
        if (!context.Request.HasJsonContentType())
            throw new ApiProblemException(415, "Content-Type must be application/json");
        if (context.Request.ContentLength > options.LargestBody)
            throw new ApiProblemException(413, $"a body has at most {options.LargestBody} bytes");
        var text = new MemoryStream();
        var buffer = new byte[4096];
        for (int read; (read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0;)
        {
            text.Write(buffer, 0, read);
            if (text.Length > options.LargestBody)
                throw new ApiProblemException(413, $"a body has at most {options.LargestBody} bytes");
        }
        if (text.Length == 0)
            return [];
        try
        {
            return JsonNode.Parse(text.ToArray(), documentOptions: new JsonDocumentOptions { MaxDepth = 8 }) as JsonObject
                ?? throw new ApiProblemException(400, "the body must be a JSON object");
        }
        catch (Exception bad) when (bad is JsonException or ArgumentException)
        {
            throw new ApiProblemException(400, $"the body is no JSON object: {bad.Message}");
        }
    }

    private static ValueTask Refuse(HttpContext context, int status, string message) => context.Response.HasStarted
        ? ValueTask.CompletedTask
        : Write(context, status, new JsonObject { ["status"] = status, ["detail"] = message }, "application/problem+json");

    private static async ValueTask Write(HttpContext context, int status, JsonNode answer, string type)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        await context.Response.WriteAsync(answer.ToJsonString(Written), context.RequestAborted);
    }

    private static string Word(ApiRole role) => role.ToString().ToLowerInvariant();
}
