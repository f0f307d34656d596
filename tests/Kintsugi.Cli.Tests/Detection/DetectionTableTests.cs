using System.Text;
using System.Text.Json;
using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Lab;
using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests.Detection;

/// <summary>
/// Every injury of the lab before every tool, on PostgreSQL 15, for which all of them are packaged. Behind --all: it takes a cluster for each injury.
/// KINTSUGI_DETECTION_TABLE names the file that the table is written to (docs/detection.md).
/// </summary>
public sealed class DetectionTableTests(Servers servers)
{
    private const int Major = 15;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static string? Table => Environment.GetEnvironmentVariable("KINTSUGI_DETECTION_TABLE");

    public static bool Wanted => Environment.GetEnvironmentVariable("KINTSUGI_TEST_ALL") == "1" || Table is not null;

    private sealed record Line(
        Injury Injury, PeerAnswer Amcheck, PeerAnswer Checksums, PeerAnswer Catcheck, IReadOnlyList<JsonElement> Findings, string Said)
    {
        /// <summary>Checks that named it, with the fault class where that is another one than the injury's own.</summary>
        public IEnumerable<string> Named => Findings.Where(finding => MeansIt(finding, Injury))
            .Select(finding => (Check: finding.GetProperty("check").GetString()!, Fault: finding.GetProperty("fault").GetString()!))
            .Select(seen => seen.Fault == Injury.Fault.Id || Injury.Alike.Any(alike => alike.Id == seen.Fault) ? seen.Check : $"{seen.Check} ({seen.Fault})")
            .Distinct().Order(StringComparer.Ordinal);
    }

    [Fact(SkipUnless = nameof(Wanted), Skip = "takes a cluster for each injury: ./test --all, or name the file in KINTSUGI_DETECTION_TABLE")]
    public async Task Kintsugi_sees_and_names_every_injury_whatever_the_others_see()
    {
        var binaries = await PostgresBinaries.Find(Major, null, Stop);
        var peers = Peers.Beside(binaries, Root());
        await NobodyAccusesTheSoundDatabase(peers);
        var lines = new List<Line>();
        foreach (var injury in Injuries.All.Where(injury => injury.Oldest <= Major))
            lines.Add(await Examine(injury, peers));

        if (Table is { } file)
            await File.WriteAllTextAsync(Path.Combine(Root(), file), Text(lines, peers, binaries), Stop);
        Assert.True(lines.Count >= 40, $"only {lines.Count} injuries");
        var missed = lines.Where(line => !line.Named.Any()).Select(line => line.Injury.Name);
        // A write that was lost whole leaves a page that was right once: no first look at a server can see it.
        Assert.Equal(["lost-write"], missed);
    }

    private async Task NobodyAccusesTheSoundDatabase(Peers peers)
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(Major, Stop);
        Assert.NotEqual(true, (await peers.AskAmcheck(database.Cluster, database.Name, Stop)).Alarm);
        Assert.NotEqual(true, (await peers.AskCatcheck(database.Cluster, database.Name, Stop)).Alarm);
        var said = await terminal.On(database, "check", "--depth", "deep");
        Assert.True(said.Code == ExitCodes.Sound, said.All);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        Assert.NotEqual(true, (await peers.AskChecksums(database.Cluster, Stop)).Alarm);
    }

    /// <summary>The others first: what they do to the patient (a crash, a hint bit) is ours to bear.</summary>
    private async Task<Line> Examine(Injury injury, Peers peers)
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(Major, Stop);
        var cluster = database.Cluster;
        await Injury.Inflict(cluster, database.Name, [injury], Stop);
        await cluster.Stop(StopMode.Fast, Stop);
        var checksums = await peers.AskChecksums(cluster, Stop);
        var none = new PeerAnswer(null, "the server does not start");
        if (await cluster.TryStart(Stop) is not null)
        {
            var stopped = await terminal.Run("check", "-D", cluster.DataDirectory, "--format", "json");
            return new Line(injury, none, checksums, none, Findings(stopped), stopped.All);
        }
        var catcheck = await peers.AskCatcheck(cluster, database.Name, Stop);
        var amcheck = await peers.AskAmcheck(cluster, database.Name, Stop);
        var said = await terminal.On(database, "check", "-D", cluster.DataDirectory, "--depth", "standard", "--format", "json");
        return new Line(injury, amcheck, checksums, catcheck, Findings(said), said.All);
    }

    private static IReadOnlyList<JsonElement> Findings(Said said) =>
        said.Out.StartsWith('{') ? [.. said.Json.GetProperty("findings").EnumerateArray()] : [];

    /// <summary>
    /// It names the table, the object or the file of the cluster; of a row that hides from those that refer to it, the evidence does. Advice is none.
    /// </summary>
    private static bool MeansIt(JsonElement finding, Injury injury)
    {
        var fault = Faults.Find(finding.GetProperty("fault").GetString()!)!;
        if (fault.Advice)
            return false;
        if (injury.Target.Schema is "pg_catalog" or "" && (fault == injury.Fault || injury.Alike.Contains(fault)))
            return true;
        var names = new[] { "relation", "object" }.Select(name => finding.GetProperty(name).GetString()).OfType<string>().ToList();
        return names.Contains(injury.Target.Object ?? injury.Target.Relation) || names.Contains(injury.Target.Relation)
            || (fault == Faults.RowOrphaned && finding.GetProperty("evidence").GetString()!.Contains(injury.Target.Relation, StringComparison.Ordinal));
    }

    private static string Text(IReadOnlyList<Line> lines, Peers peers, PostgresBinaries binaries)
    {
        var text = new StringBuilder("# What sees what\n\n");
        text.Append($"Every injury of `src/Kintsugi.Lab/Damage`, each inflicted on a fresh cluster of PostgreSQL {binaries.Major} with data checksums, each before\n"
            + "every tool: `pg_checksums --check` on the stopped cluster, then `pg_catcheck`, then `pg_amcheck --install-missing --heapallindexed\n"
            + "--parent-check --rootdescend`, and last `kintsugi check` at depth standard. Before the injury none of them says anything. Generated by\n"
            + "`KINTSUGI_DETECTION_TABLE=docs/detection.md ./test DetectionTableTests`; the test fails where Kintsugi does not name what was injured.\n\n"
            + "**yes**: it raised an alarm (for Kintsugi: the checks that name the object, with the fault class in brackets where it is another one than the\n"
            + "injury's). **–**: it said nothing. **n/a**: it cannot look there. An alarm of another tool counts whatever it says.");
        if (peers.Catcheck is null)
            text.Append(" pg_catcheck is not installed on the machine that made this table.");
        text.Append("\n\n| injury | what happened | pg_checksums | pg_catcheck | pg_amcheck | Kintsugi |\n|---|---|---|---|---|---|\n");
        foreach (var line in lines)
            text.Append($"| {line.Injury.Name} | {line.Injury.Accident} | {Word(line.Checksums)} | {Word(line.Catcheck)} | {Word(line.Amcheck)} | "
                + $"{(line.Named.Any() ? $"yes: {string.Join(", ", line.Named)}" : "–")} |\n");
        text.Append($"\nOf {lines.Count} injuries: pg_checksums {Count(lines, line => line.Checksums)}, pg_catcheck {Count(lines, line => line.Catcheck)}, "
            + $"pg_amcheck {Count(lines, line => line.Amcheck)}, Kintsugi {lines.Count(line => line.Named.Any())}.\n");
        return text.ToString();
    }

    private static string Word(PeerAnswer answer) => answer.Alarm switch { true => "yes", false => "–", null => "n/a" };

    private static int Count(IReadOnlyList<Line> lines, Func<Line, PeerAnswer> of) => lines.Count(line => of(line).Alarm == true);

    /// <summary>The clone that this test was built from.</summary>
    internal static string Root()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "kintsugi.slnx")))
            directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException("the tests were moved out of their clone");
    }
}
