using Kintsugi.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Kintsugi.Web;

/// <summary>Kintsugi's own pages in a web application.</summary>
public static class KintsugiEndpoints
{
    /// <summary>Whether Kintsugi itself lives and can work; a sick or absent patient does not make it unready.</summary>
    public static RouteGroupBuilder MapKintsugi(this IEndpointRouteBuilder routes, string prefix)
    {
        var group = routes.MapGroup(prefix);
        group.MapGet("/healthz/live", () => Results.Text("alive"));
        group.MapGet("/healthz/ready", async (HttpContext context) =>
        {
            await context.RequestServices.GetRequiredService<IJobBoard>().List(context.RequestAborted);
            return Results.Text("ready");
        });
        return group;
    }
}
