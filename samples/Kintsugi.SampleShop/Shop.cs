using Kintsugi.Hosting;
using Kintsugi.Web;
using Microsoft.AspNetCore.Authentication;

namespace Kintsugi.SampleShop;

/// <summary>A web shop that has its database looked after: everything of Kintsugi's is in these lines.</summary>
internal static class Shop
{
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.Services.AddKintsugi(builder.Configuration.GetSection("Kintsugi"), options => options with { StateDirectory = builder.Configuration["KintsugiState"] })
            .AddCheck<StockCheck>()
            .AddRepair<StockRepair>();
        builder.Services.AddHealthChecks().AddKintsugi();

        builder.Services.AddAuthentication(TokenSignIn.Scheme).AddScheme<AuthenticationSchemeOptions, TokenSignIn>(TokenSignIn.Scheme, null);
        builder.Services.AddAuthorizationBuilder().AddPolicy("staff", policy => policy.RequireAuthenticatedUser());

        var shop = builder.Build();
        shop.MapGet("/", () => "The shop is open.");
        shop.MapHealthChecks("/health");
        shop.MapKintsugi("/kintsugi").RequireAuthorization("staff");
        return shop;
    }
}
