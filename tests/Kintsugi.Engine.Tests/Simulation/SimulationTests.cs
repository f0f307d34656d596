using System.Globalization;

namespace Kintsugi.Engine.Tests.Simulation;

/// <summary>
/// The healer, the judge and the ledger's facts against a patient that lies, stalls, loses connections, refuses locks, changes meanwhile, and dies at
/// every step, thousands of times over. A seed tells everything that happens: KINTSUGI_SIMULATION_SEED=N plays one again, and
/// KINTSUGI_SIMULATION_SEED=N..M a range of them.
/// </summary>
public sealed class SimulationTests
{
    private const int Seeds = 4000, MostRuns = 6, MostCalmRuns = 12;

    [Fact]
    public async Task Whatever_happens_to_a_repair_the_laws_hold_and_it_ends()
    {
        var counts = Laws.Counted.ToDictionary(name => name, _ => 0);
        foreach (var seed in Chosen())
        {
            using var world = new World(seed);
            try
            {
                await Live(world);
            }
            catch (BrokenLaw broken)
            {
                Assert.Fail($"seed {seed}: {broken.Message}. KINTSUGI_SIMULATION_SEED={seed} plays it again.\n{Story(world)}");
            }
            foreach (var (name, count) in world.Laws.Count)
                counts[name] += count;
        }
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", counts.Select(pair => $"{pair.Value} {pair.Key}")));
        Assert.All(counts, pair => Assert.True(pair.Value > 0, $"no law of {pair.Key} was put to the test"));
    }

    [Theory, InlineData(1), InlineData(77), InlineData(1234)]
    public async Task A_seed_plays_the_same_again(int seed)
    {
        using World one = new(seed), other = new(seed);
        await Live(one);
        await Live(other);

        Assert.Equal(Story(one), Story(other));
    }

    private static async Task Live(World world)
    {
        for (var run = 1 + world.Chance.Below(MostRuns); run > 0; run--)
        {
            await Run(world);
            await world.Between();
        }
        for (var calm = 0; calm < MostCalmRuns && !IsWhole(world); calm++)
        {
            await world.CalmDown();
            await Run(world);
        }
        world.Laws.Require(IsWhole(world), $"after {MostCalmRuns} runs in which nothing was in the way something is still sick or open");
    }

    private static async ValueTask Run(World world)
    {
        try
        {
            await new SimulatedRun(world).Go();
        }
        catch (SimulatedDeath)
        {
            // What it leaves is the next run's.
        }
        catch (OperationCanceledException) when (world.Stop.IsCancellationRequested)
        {
            // Ctrl-C: likewise.
        }
        finally
        {
            world.EndRun();
        }
        world.Laws.Resumable();
    }

    private static bool IsWhole(World world) =>
        world.Things.All(thing => thing.Dropped || (thing.Sick.Count == 0 && thing.Debris.Count == 0))
        && world.Ledger.CaseIds.All(id => SimulatedLedger.StateOf(world.Ledger.Of(id)) is "healed" or "transient");

    private static string Story(World world) => string.Join('\n', world.Ledger.CaseIds.SelectMany(id => world.Ledger.Of(id).Select(fact =>
        $"{fact.At:HH:mm:ss} {world.ThingOf(id).Name} ({world.ThingOf(id).Ailment.Check}) {fact.Kind}: {fact.Summary}")));

    private static IEnumerable<int> Chosen()
    {
        if (Environment.GetEnvironmentVariable("KINTSUGI_SIMULATION_SEED") is { Length: > 0 } text)
            return Range(text.Split("..").Select(part => int.Parse(part, CultureInfo.InvariantCulture)).ToArray());
        // The long run goes elsewhere every day; the short one is the same for everybody.
        return Environment.GetEnvironmentVariable("KINTSUGI_TEST_ALL") == "1"
            ? Enumerable.Range(TimeProvider.System.GetUtcNow().DayOfYear * 1_000_000, Seeds * 20) : Enumerable.Range(1, Seeds);
    }

    private static IEnumerable<int> Range(int[] ends) => Enumerable.Range(ends[0], ends[^1] - ends[0] + 1);
}
