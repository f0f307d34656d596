using Kintsugi.Hosting;
using Kintsugi.Web.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Kintsugi.Web;

/// <summary>Kintsugi's own pages in a web application.</summary>
public static class KintsugiEndpoints
{
    /// <summary>
    /// Below the prefix: <c>/healthz/live</c> and <c>/healthz/ready</c>, which tell of Kintsugi itself (a sick or absent patient does not make it
    /// unready), and the API under <c>/api/v1</c>. Who may use it: holders of the configured API keys, and whoever passes
    /// <c>.RequireAuthorization(…)</c> put on what is returned; their role is the claim <see cref="KintsugiClaims.Role"/>, without one they read.
    /// </summary>
    public static RouteGroupBuilder MapKintsugi(this IEndpointRouteBuilder routes, string prefix, KintsugiWebOptions? options = null)
    {
        var group = routes.MapGroup(prefix);
        group.MapGet("/healthz/live", () => Results.Text("alive"));
        group.MapGet("/healthz/ready", async (HttpContext context) =>
        {
            await context.RequestServices.GetRequiredService<IJobBoard>().List(context.RequestAborted);
            return Results.Text("ready");
        });
        var door = ActivatorUtilities.CreateInstance<ApiDoor>(routes.ServiceProvider, options ?? new KintsugiWebOptions());
        foreach (var route in ApiRoutes.All)
            group.MapMethods(ApiRoutes.Prefix + route.Path, [route.Method], door.Guard(route));
        return group;
    }
}

/// <summary>What the application says of the people it signs in.</summary>
public static class KintsugiClaims
{
    /// <summary>viewer, operator or admin.</summary>
    public const string Role = "kintsugi.role";
}
