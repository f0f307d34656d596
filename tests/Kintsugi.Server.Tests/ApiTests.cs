using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Kintsugi.Hosting;
using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Configuration;
using Kintsugi.Web.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Kintsugi.Server.Tests;

public sealed class ApiTests(Servers servers)
{
    private const string Keys = "viewer-key operator-key admin-key";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static string Http => "http:\n  api_keys:\n" + string.Concat(Keys.Split(' ').Select(key =>
        $"    - {{ name: {key[..^4]} person, sha256: \"{Api.Sha256(key)}\", role: {key[..^4]} }}\n"));

    [Fact]
    public async Task A_plan_is_read_and_approved_over_http_and_its_case_is_healed_in_the_name_of_the_key()
    {
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        await Injury.Inflict(database.Cluster, database.Name, [new BTreeEntryMissing()], Stop);
        await using var service = new Service();
        service.Write("policy: { index-corrupt: approve }\n" + Http + "targets:\n" + Service.Target(database));
        service.Start();
        using var api = new Api($"http://127.0.0.1:{service.Port}");
        var plan = default(JsonElement);
        await service.Until("the plan waits", async () =>
        {
            var (status, body) = await api.Get("plans", "viewer-key");
            return status == HttpStatusCode.OK && body.GetProperty("plans").EnumerateArray().Any(item =>
                (plan = item).GetProperty("state").GetString() == "waiting");
        });
        var id = plan.GetProperty("case").GetString()!;
        var hash = plan.GetProperty("plan").GetProperty("hash").GetString()!;
        Assert.Equal("reindex", plan.GetProperty("plan").GetProperty("repair").GetString());
        var finding = (await api.Get("findings", "viewer-key")).Body.GetProperty("findings").EnumerateArray().Single(item => item.GetProperty("case").GetString() == id);
        Assert.Equal("movies_pkey", finding.GetProperty("finding").GetProperty("target").GetProperty("object").GetString());

        Assert.Equal(HttpStatusCode.Forbidden, (await api.Post($"cases/{id}/approve", "viewer-key", $$"""{"plan":"{{hash}}"}""")).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await api.Post($"cases/{id}/approve", "operator-key", """{"plan":"0000"}""")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await api.Post($"cases/{id}/approve", "operator-key")).Status);
        Assert.False(await database.Scalar<bool>("SELECT EXISTS (SELECT FROM movies WHERE id = 777)", Stop));
        var approved = await api.Post($"cases/{id}/approve", "operator-key", $$"""{"plan":"{{hash}}","because":"read it"}""");
        Assert.True(approved.Status == HttpStatusCode.OK, approved.Body.ToString());
        await service.Until("healed", async () => (await api.Get($"cases/{id}", "viewer-key")).Body.GetProperty("state").GetString() == "healed");

        Assert.True(await database.Scalar<bool>("SELECT EXISTS (SELECT FROM movies WHERE id = 777)", Stop));
        var facts = (await api.Get($"ledger?case={id}&limit=1000", "viewer-key")).Body.GetProperty("facts").EnumerateArray().ToList();
        Assert.Equal("operator person", facts.Single(fact => fact.GetProperty("kind").GetString() == "approved").GetProperty("data").GetProperty("by").GetString());
        var snapshot = Assert.Single((await api.Get("snapshots", "viewer-key")).Body.GetProperty("snapshots").EnumerateArray());
        Assert.Equal(id, snapshot.GetProperty("case").GetString());
        Assert.True((await api.Get("ledger/proof", "viewer-key")).Body.GetProperty("whole").GetBoolean());
        var target = Assert.Single((await api.Get("targets", "viewer-key")).Body.GetProperty("targets").EnumerateArray());
        Assert.True(target.GetProperty("reachable").GetBoolean());
        Assert.Contains((await api.Get("jobs/runs", "viewer-key")).Body.GetProperty("runs").EnumerateArray(), run =>
            run.GetProperty("job").GetString() == "db.repair" && run.GetProperty("state").GetString() == "healed");
    }

    [Fact]
    public async Task Nobody_gets_in_without_a_key_and_nobody_further_than_its_role()
    {
        await using var daemon = await Daemon(Http);
        using var api = new Api(daemon.Root);
        Assert.Equal(HttpStatusCode.Unauthorized, (await api.Get("targets")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await api.Get("targets", "no-such-key")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await api.Get("targets", Api.Sha256("viewer-key"))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await api.Post("jobs/db.health_check/run", null)).Status);
        foreach (var route in ApiRoutes.All)
        {
            var path = route.Path.TrimStart('/').Replace("{id}", "nothing", StringComparison.Ordinal).Replace("{job}", "nothing", StringComparison.Ordinal);
            var viewed = route.Method == "GET" ? await api.Get(path, "viewer-key") : await api.Post(path, "viewer-key");
            Assert.Equal(route.Role == ApiRole.Viewer, viewed.Status != HttpStatusCode.Forbidden);
            Assert.Equal(HttpStatusCode.Unauthorized, (route.Method == "GET" ? await api.Get(path) : await api.Post(path, null)).Status);
        }
        Assert.Equal(HttpStatusCode.Forbidden, (await api.Post("cases/nothing/undo", "operator-key")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await api.Post("cases/nothing/undo", "admin-key")).Status);
        Assert.Equal(HttpStatusCode.TooManyRequests, await Guess(api));
    }

    private static async Task<HttpStatusCode> Guess(Api api)
    {
        var status = HttpStatusCode.Unauthorized;
        for (var guess = 0; guess < 300 && status == HttpStatusCode.Unauthorized; guess++)
            status = (await api.Get("targets", $"guess-{guess}")).Status;
        return status;
    }

    [Fact]
    public async Task What_is_wrong_with_a_request_is_said_and_nothing_else()
    {
        await using var daemon = await Daemon(Http);
        using var api = new Api(daemon.Root);
        async Task MustSay(string words, HttpStatusCode status, string path, string body, string type = "application/json")
        {
            var (got, problem) = await api.Post(path, "admin-key", body, type);
            Assert.Equal(status, got);
            Assert.Contains(words, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        await MustSay("there is no case nothing", HttpStatusCode.NotFound, "cases/nothing/reject", "{}");
        await MustSay("db.health_check", HttpStatusCode.NotFound, "jobs/nothing/run", "{}");
        await MustSay("there is no target nowhere", HttpStatusCode.BadRequest, "jobs/db.health_check/run", """{"target":"nowhere"}""");
        await MustSay("there is no field becuase", HttpStatusCode.BadRequest, "repairs/pause", """{"becuase":"x"}""");
        await MustSay("because is required", HttpStatusCode.BadRequest, "repairs/pause", "{}");
        await MustSay("because must be a string", HttpStatusCode.BadRequest, "repairs/pause", """{"because":1}""");
        await MustSay("no JSON object", HttpStatusCode.BadRequest, "repairs/pause", "{");
        await MustSay("must be a JSON object", HttpStatusCode.BadRequest, "repairs/pause", "[]");
        await MustSay("must be a time", HttpStatusCode.BadRequest, "repairs/pause", """{"because":"x","until":"soon"}""");
        await MustSay("application/json", HttpStatusCode.UnsupportedMediaType, "repairs/pause", "because=x", "application/x-www-form-urlencoded");
        await MustSay("at most 65536 bytes", HttpStatusCode.RequestEntityTooLarge, "repairs/pause", $$"""{"because":"{{new string('x', 70_000)}}"}""");
        Assert.Equal(HttpStatusCode.BadRequest, (await api.Get("cases?limit=0", "viewer-key")).Status);

        var paused = await api.Post("repairs/pause", "operator-key", """{"because":"a restore"}""");
        Assert.Equal("operator person", paused.Body.GetProperty("repairs_paused").GetProperty("by").GetString());
        Assert.NotNull(daemon.Services.GetRequiredService<IJobBoard>().RepairPause);
        await api.Post("repairs/resume", "operator-key");
        Assert.Null(daemon.Services.GetRequiredService<IJobBoard>().RepairPause);
    }

    [Fact]
    public async Task A_job_is_taken_on_before_the_first_target_has_answered()
    {
        // It lets in and says nothing: the first beat waits for it, and the timetable for the first beat.
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var daemon = await Daemon(Http, ((IPEndPoint)silent.LocalEndpoint).Port);
        using var api = new Api(daemon.Root);
        var started = await api.Post("jobs/db.orphan_cleanup/run", "operator-key");
        Assert.True(started.Status == HttpStatusCode.OK, started.Body.ToString());
    }

    [Fact]
    public async Task Without_keys_programs_of_this_machine_read_and_no_web_page_does()
    {
        await using var daemon = await Daemon("");
        using var api = new Api(daemon.Root);
        Assert.Equal(HttpStatusCode.OK, (await api.Get("targets")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await api.Get("targets", host: "rebound.example")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await api.Post("repairs/pause", null, """{"because":"x"}""")).Status);
        using var home = new Home("");
        var refused = Assert.Throws<UsageException>(() => Server.Daemon.Build(home.Arguments with { Listen = new ListenEndpoint(null, 1) }));
        Assert.Contains("api_keys", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_document_has_every_operation_and_no_answer_has_a_secret()
    {
        await using var daemon = await Daemon(Http + "alerts: { receivers: [ { name: ops, webhook: \"http://127.0.0.1:9/hush-url\", secret: \"hush-signature\" } ] }\n");
        using var api = new Api(daemon.Root);
        var document = (await api.Get("openapi.json", "viewer-key")).Body;
        var described = document.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject().Select(o => $"{o.Name} {path.Name}")).ToHashSet();
        Assert.Equal(ApiRoutes.All.Select(route => $"{route.Method.ToLowerInvariant()} {route.Path}").ToHashSet(), described);
        Assert.EndsWith("/api/v1", document.GetProperty("servers")[0].GetProperty("url").GetString(), StringComparison.Ordinal);
        var names = document.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject()).Select(o => o.Value.GetProperty("operationId").GetString()).ToList();
        Assert.Equal(names.Count, names.Distinct().Count());

        await api.Post("jobs/db.health_check/run", "operator-key");
        foreach (var route in ApiRoutes.All.Where(route => route.Method == "GET" && !route.Path.Contains('{')))
        {
            var (status, body) = await api.Get(route.Path.TrimStart('/'), "viewer-key");
            Assert.Equal(HttpStatusCode.OK, status);
            Assert.DoesNotContain("hush", body.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain(Api.Sha256("admin-key"), body.ToString(), StringComparison.Ordinal);
        }
    }

    /// <summary>The daemon in this process, with one target that is not there.</summary>
    private static async Task<RunningDaemon> Daemon(string configuration, int? port = null)
    {
        var daemon = new RunningDaemon(new Home(configuration, port));
        await daemon.Application.StartAsync(Stop);
        return daemon;
    }

    private sealed class Home : IDisposable
    {
        private readonly string path = Directory.CreateTempSubdirectory("kintsugi-api-").FullName;

        public Home(string configuration, int? port = null)
        {
            var file = Path.Combine(path, "config.yaml");
            File.WriteAllText(file, configuration + $"targets:\n  - {{ name: main, connection: \"host=127.0.0.1 port={port ?? WebhookReceiver.FreePort()} user=u password=hush-password\" }}\n");
            Arguments = new ServerArguments(new KintsugiServiceOptions { ConfigurationFile = file, StateDirectory = Path.Combine(path, "state") },
                new ListenEndpoint(IPAddress.Loopback, WebhookReceiver.FreePort()));
        }

        public ServerArguments Arguments { get; }

        public void Dispose() => Directory.Delete(path, recursive: true);
    }

    private sealed class RunningDaemon(Home home) : IAsyncDisposable
    {
        public WebApplication Application { get; } = Server.Daemon.Build(home.Arguments);
        public IServiceProvider Services => Application.Services;
        public string Root { get; } = $"http://127.0.0.1:{home.Arguments.Listen!.Port}";

        public async ValueTask DisposeAsync()
        {
            await Application.StopAsync(CancellationToken.None);
            await Application.DisposeAsync();
            home.Dispose();
        }
    }
}
