using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;

namespace Kintsugi.Server.Tests;

/// <summary>
/// A week in minutes: load, injuries at random, kills, restarts, a full disk under the snapshots, a receiver that is away. In the end all that was
/// injured is healed or with a person, every message arrived, no row is lost and memory has not grown. KINTSUGI_SOAK_MINUTES and KINTSUGI_SOAK_SEED.
/// </summary>
public sealed class SoakTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : otherwise;

    [Fact]
    public async Task A_compressed_week_ends_with_everything_healed_or_escalated_and_nothing_lost()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("KINTSUGI_TEST_ALL") == "1", "it takes minutes: ./test --all");
        Assert.SkipUnless(Soak.IsPossible, "it needs pgbench of this machine, and root for a small file system");
        var (length, seed) = (TimeSpan.FromMinutes(Number("KINTSUGI_SOAK_MINUTES", 3)), Number("KINTSUGI_SOAK_SEED", 7));
        using var receiver = new WebhookReceiver();
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        await using var soak = await Soak.Begin(database);
        await soak.Load("bench");
        var before = await database.Fingerprint(Stop);
        await using var service = new Service();
        service.Write(SoakStory.Configuration(database, soak, receiver));
        service.Start();
        await service.Until("the first looks", async () => (await service.Run("jobs", "list", "--format", "json")).Out.Contains("db.orphan_cleanup", StringComparison.Ordinal)
            && (await service.Run("jobs")).Out.Contains("done", StringComparison.Ordinal));

        var story = new SoakStory(service, database, soak, receiver, new Random(seed));
        var memory = new List<double>();
        for (var begun = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begun) < length;)
        {
            await story.Happen();
            memory.Add(Soak.Megabytes(service.Process));
        }
        await story.Calm();
        await MustBeWhole(service, database, receiver, story, before);
        TestContext.Current.SendDiagnosticMessage($"soak of {length.TotalMinutes} min, seed {seed}: {story}; memory {memory.Min():0} to {memory.Max():0} MB, "
            + $"{Soak.Megabytes(service.Process):0} at the end; pgbench ran {soak.Loads} times");
        Assert.True(memory.Max() < 600, $"memory reached {memory.Max():0} MB");
    }

    private static async Task MustBeWhole(Service service, TestDatabase database, WebhookReceiver receiver, SoakStory story, Lab.Fingerprint before)
    {
        await service.Until("every case is healed or with a person", async () => (await service.Cases()).All(SoakStory.IsSettled));
        var rows = await service.Cases();
        Assert.NotEmpty(story.Inflicted);
        Assert.All(story.Inflicted, injury => Assert.Contains(rows, row => row.Fault == injury.Fault.Id || injury.Alike.Any(alike => alike.Id == row.Fault)));
        if (rows.All(row => row.State is "healed" or "transient"))
            Assert.True(before.CompareWith(await database.Fingerprint(Stop)).IsEmpty);
        // Of each case the receiver heard as often that it began as that it ended, whatever was away meanwhile.
        foreach (var row in rows.Where(row => row.State is "healed" or "transient"))
            await service.Until($"the messages of case {row.Id}", () => receiver.Taken.Select(taken => JsonDocument.Parse(taken.Body).RootElement)
                .Where(alert => alert.GetProperty("key").GetString() == $"case:{row.Id}").Select(alert => alert.GetProperty("state").GetString())
                .ToList() is { Count: > 0 } states && states.Count(state => state == "firing") == states.Count(state => state == "resolved"));
        await using var ledger = SqliteLedger.Open(Path.Combine(service.State, "ledger.db"));
        Assert.Empty(await ledger.Verify(Stop));
    }
}
