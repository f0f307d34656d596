using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;

namespace Kintsugi.Server.Tests;

/// <summary>
/// A week in minutes: load, injuries at random, kills, restarts, a full disk under the snapshots, a receiver that is away. In the end all that was
/// injured is healed or with a person, every message arrived and no row is lost. KINTSUGI_SOAK_MINUTES and KINTSUGI_SOAK_SEED; from half an hour on, one
/// process of the service lives through that time and its memory is held against that of its first minutes. KINTSUGI_SOAK_REPORT takes the figures.
/// </summary>
public sealed class SoakTests(Servers servers)
{
    private const double MostMegabytes = 600, MostGrowth = 1.1;
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(30), Stirring = TimeSpan.FromMinutes(2);

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
        await using var service = new Service { Patience = TimeSpan.FromMinutes(10) };
        service.Write(SoakStory.Configuration(database, soak, receiver));
        service.Start();
        await service.Until("the first looks", async () => (await service.Run("jobs", "list", "--format", "json")).Out.Contains("db.orphan_cleanup", StringComparison.Ordinal)
            && (await service.Run("jobs")).Out.Contains("done", StringComparison.Ordinal));

        var story = new SoakStory(service, database, soak, receiver, new Random(seed));
        var memory = new MemoryLine();
        try
        {
            for (var begun = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begun) < (length < Long ? length : Stirring);)
                await story.Happen(mayEnd: true);
            if (length >= Long)
                await LiveOn(service, story, memory, length);
            await story.Calm();
            await MustBeWhole(service, database, receiver, story, before);
        }
        catch (Exception problem)
        {
            throw new InvalidOperationException($"seed {seed}: {problem.Message}\n{memory}\n{await story.Told()}", problem);
        }
        Report($"soak of {length.TotalMinutes} min, seed {seed}: {story}; {memory}; {Soak.Megabytes(service.Process):0.0} MB at the end; pgbench ran {soak.Loads} times");
        Assert.True(Soak.Megabytes(service.Process) < MostMegabytes, "the service holds too much");
        if (length >= Long)
            Assert.True(memory.Growth <= MostGrowth, memory.ToString());
    }

    /// <summary>One process through all of it, but for what would end it.</summary>
    private static async Task LiveOn(Service service, SoakStory story, MemoryLine memory, TimeSpan length)
    {
        await story.Again("TERM");
        var (process, begun) = (service.Process, Stopwatch.GetTimestamp());
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var watch = memory.Follow(process, begun, async now => Report($"{story}; {now}; {string.Join(", ", (await service.Metrics()).Split('\n')
            .Where(line => line.StartsWith("kintsugi_memory_bytes{", StringComparison.Ordinal)))}"), ended.Token);
        while (Stopwatch.GetElapsedTime(begun) < length)
            await story.Happen(mayEnd: false);
        await ended.CancelAsync();
        await watch;
        Assert.Equal(process, service.Process);
        Assert.False(service.Ended, "the service ended");
    }

    private static void Report(string text)
    {
        TestContext.Current.SendDiagnosticMessage(text);
        if (Environment.GetEnvironmentVariable("KINTSUGI_SOAK_REPORT") is { Length: > 0 } file)
            File.AppendAllText(file, text + "\n");
    }

    private static async Task MustBeWhole(Service service, TestDatabase database, WebhookReceiver receiver, SoakStory story, Lab.Fingerprint before)
    {
        await service.Until("every case is healed or with a person", async () => (await service.Cases()).All(SoakStory.IsSettled));
        var rows = await service.Cases();
        Assert.NotEmpty(story.Inflicted);
        Assert.All(story.Inflicted, injury => Assert.Contains(rows, row => SoakStory.IsOf(injury, row)));
        var difference = before.CompareWith(await database.Fingerprint(Stop));
        Assert.True(difference.IsEmpty || rows.Any(row => row.State is not ("healed" or "transient")), difference.ToString());
        // Of each case the receiver heard as often that it began as that it ended, whatever was away meanwhile.
        foreach (var row in rows.Where(row => row.State is "healed" or "transient"))
            await service.Until($"the messages of case {row.Id}", () => receiver.Taken.Select(taken => JsonDocument.Parse(taken.Body).RootElement)
                .Where(alert => alert.GetProperty("key").GetString() == $"case:{row.Id}").Select(alert => alert.GetProperty("state").GetString())
                .ToList() is { Count: > 0 } states && states.Count(state => state == "firing") == states.Count(state => state == "resolved"));
        await using var ledger = SqliteLedger.Open(Path.Combine(service.State, "ledger.db"));
        Assert.Empty(await ledger.Verify(Stop));
    }
}
