using System.Diagnostics;
using System.Net;
using Kintsugi.Hosting;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.SampleShop;
using Microsoft.AspNetCore.Builder;

namespace Kintsugi.Server.Tests;

/// <summary>Kintsugi as a library: the sample shop, twice in one process, each with its own database, state and people.</summary>
public sealed class SampleTests(Servers servers)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_shops_in_one_process_find_what_their_own_check_knows_and_keep_apart()
    {
        await using var sound = await Stocked("0");
        await using var lacking = await Stocked("-1");
        var home = Directory.CreateTempSubdirectory("kintsugi-shops-").FullName;
        await using var first = Shop.Build(Settings(sound, Path.Combine(home, "first"), "first-token"));
        await using var second = Shop.Build(Settings(lacking, Path.Combine(home, "second"), "second-token"));
        await first.StartAsync(Stop);
        await second.StartAsync(Stop);
        using var atFirst = new Api($"{first.Urls.Single()}/kintsugi");
        using var atSecond = new Api($"{second.Urls.Single()}/kintsugi");

        Assert.Equal(HttpStatusCode.Unauthorized, (await atFirst.Get("targets")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await atFirst.Get("targets", "second-token", scheme: "Token")).Status);
        Assert.Equal(HttpStatusCode.OK, (await atFirst.Get("targets", "first-token", scheme: "Token")).Status);
        foreach (var (api, token) in new[] { (atFirst, "first-token"), (atSecond, "second-token") })
        {
            var run = await api.Post("jobs/db.orphan_cleanup/run", token, scheme: "Token");
            Assert.True(run.Status == HttpStatusCode.OK, run.Body.ToString());
            await Until("the look ended", async () => (await api.Get("jobs/runs", token, scheme: "Token")).Body.GetProperty("runs").EnumerateArray()
                .Any(item => item.GetProperty("job").GetString() == "db.orphan_cleanup" && item.GetProperty("state").GetString() == "done"));
        }

        var found = Assert.Single((await atSecond.Get("cases?fault=rule-violated", "second-token", scheme: "Token")).Body.GetProperty("cases").EnumerateArray());
        Assert.Equal("public.products", found.GetProperty("object").GetString());
        Assert.Empty((await atFirst.Get("cases?state=all", "first-token", scheme: "Token")).Body.GetProperty("cases").EnumerateArray());
        await Until("the shop's own repair was asked", async () => (await atSecond.Get($"cases/{found.GetProperty("id").GetString()}", "second-token", scheme: "Token"))
            .Body.GetProperty("reason").GetString()?.Contains("the warehouse counts the products", StringComparison.Ordinal) == true);
        await MustBeHealthy(first, "first-token");
        await first.StopAsync(Stop);
        await second.StopAsync(Stop);
        Directory.Delete(home, recursive: true);
    }

    private static async Task MustBeHealthy(WebApplication shop, string token)
    {
        using var http = new HttpClient { BaseAddress = new Uri(shop.Urls.Single()) };
        Assert.Equal("Healthy", await http.GetStringAsync(new Uri("/health", UriKind.Relative), Stop));
        Assert.Equal("The shop is open.", await http.GetStringAsync(new Uri("/", UriKind.Relative), Stop));
        using var api = new Api($"{shop.Urls.Single()}/kintsugi");
        await api.Post("repairs/pause", token, """{"because":"inventory"}""", scheme: "Token");
        Assert.Equal("Degraded", await http.GetStringAsync(new Uri("/health", UriKind.Relative), Stop));
    }

    [Fact]
    public void A_mistake_in_the_section_stops_the_start_with_its_key()
    {
        var home = Directory.CreateTempSubdirectory("kintsugi-shops-").FullName;
        var refused = Assert.Throws<ConfigurationRefusedException>(
            () => Shop.Build(["--urls", "http://127.0.0.1:0", "--KintsugiState", home, "--Kintsugi:Database:AutoHealing:Enabeld", "true"]));
        Assert.Contains("Database:AutoHealing:Enabeld", refused.Message, StringComparison.Ordinal);
        Directory.Delete(home, recursive: true);
    }

    private async Task<TestDatabase> Stocked(string stock)
    {
        var database = await servers.Database(TestMajors.Newest, Stop);
        await database.Execute($"CREATE TABLE products (id integer PRIMARY KEY, stock integer NOT NULL); INSERT INTO products VALUES (1, 5), (2, {stock})", Stop);
        return database;
    }

    private static string[] Settings(TestDatabase database, string state, string token) =>
    [
        "--urls", "http://127.0.0.1:0", "--KintsugiState", state, "--StaffToken", token,
        "--Kintsugi:Targets:0:Name", "shop",
        "--Kintsugi:Targets:0:Connection", $"host={database.Cluster.SocketDirectory} port={database.Cluster.Port} user=postgres dbname={database.Name}",
        "--Kintsugi:Targets:0:Databases:0", database.Name,
        "--Logging:LogLevel:Default", "Warning",
    ];

    private static async Task Until(string what, Func<Task<bool>> holds)
    {
        var begun = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(250));
        while (!await holds())
        {
            Assert.True(Stopwatch.GetElapsedTime(begun) < Patience, $"in vain: {what}");
            await timer.WaitForNextTickAsync(Stop);
        }
    }
}
