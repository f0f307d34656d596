using Kintsugi.Cli.Options;
using Kintsugi.Cli.Output;
using Kintsugi.Cli.Runtime;
using Kintsugi.Lab;
using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Connecting;

namespace Kintsugi.Cli.Demo;

/// <summary>Runs the demo step by step and tells it as it goes.</summary>
internal sealed class Demonstration(CliContext context, bool keep)
{
    private readonly long begun = context.Clock.GetTimestamp();
    private readonly OutputArguments quiet = new("text", Quiet: true, Verbose: false);

    public async Task<int> Run(int? major, string? binaries, IReadOnlyList<Injury> injuries, CancellationToken cancellationToken)
    {
        await Say("Kintsugi mends a broken PostgreSQL before your eyes. Nothing of yours is touched.");
        var server = await PostgresBinaries.Find(major, binaries, cancellationToken);
        await using var laboratory = await Laboratory.Open(cancellationToken);
        await Step($"starting a throwaway PostgreSQL {server.Major} from {server.Directory}");
        var cluster = await laboratory.Create(server, new ClusterOptions(), cancellationToken);
        await Step("loading a media database: films, genres, seasons, users, watch history");
        await SampleDatabase.Load(cluster, SampleDatabase.Name, SampleDatabase.ForDemo, cancellationToken);
        await cluster.CreateExtensions(SampleDatabase.Name, cancellationToken);
        var before = await Fingerprint.Take(cluster, SampleDatabase.Name, cancellationToken);
        await Step($"took the fingerprint of every row: {Text.Count(before.RowCount, "row")} in {Text.Count(before.TableCount, "table")}");
        var possible = injuries.Where(injury => injury.Oldest <= server.Major).ToList();
        await Injury.Inflict(cluster, SampleDatabase.Name, possible, cancellationToken);
        await Step($"injured it in {Text.Count(possible.Count, "way")}, as accidents do:");
        foreach (var injury in possible)
            await Say($"      {injury.Target}: {injury.Accident}");

        var story = await Heal(cluster, laboratory, possible, before, cancellationToken);
        await story.Tell(context, context.Clock.GetElapsedTime(begun));
        if (keep)
            await Keep(laboratory, cluster);
        return story.IsGood ? ExitCodes.Sound : ExitCodes.Damage;
    }

    private async ValueTask<DemoStory> Heal(
        ThrowawayCluster cluster, Laboratory laboratory, IReadOnlyList<Injury> injuries, Fingerprint before, CancellationToken cancellationToken)
    {
        var state = Path.Combine(laboratory.Root, "state");
        var inside = context with { Around = context.Around with { Variable = name => name == "KINTSUGI_STATE" ? state : null } };
        var patient = new PatientArguments(
            new ConnectionRequest
            {
                Host = cluster.SocketDirectory,
                Port = cluster.Port.ToString(),
                User = "postgres",
                Databases = [SampleDatabase.Name],
                Prompt = PasswordPrompt.Never,
            },
            AllDatabases: false, [], ConfigFile: null, DataDirectory: null);
        var scrub = new ScrubArguments(new ScrubSettings { Depth = Depth.Deep }, new Selection(), null, Strict: false);
        await using var clinic = await Clinic.Connect(patient, null, inside, cancellationToken);
        await Step("examining it, from the storage up to the rows:");
        var seen = await Scrubbing.Run(clinic, scrub, quiet, inside, cancellationToken);
        foreach (var finding in seen.Findings.Where(finding => !finding.Fault.Advice))
            await Say($"      {Text.Paint(finding.Target.Name, Text.Bold, context.Colour)}: {finding.Fault.Id}, seen by {finding.Check}\n        {finding.Evidence}");

        await Step("planning, saving what is broken, repairing, and looking again:");
        await using var ledger = Memory.Open(inside);
        var theatre = new Theatre(
            clinic, ledger, new HealArguments(Yes: true, Grade.Reversible, DryRun: false, null, []), scrub, quiet, null, inside);
        var (cases, last) = await theatre.Run(cancellationToken);
        foreach (var report in cases)
            await Tell(report);
        var after = await Fingerprint.Take(cluster, SampleDatabase.Name, cancellationToken);
        return new DemoStory(injuries, seen, cases, last, before, before.CompareWith(after), Memory.Directory(inside).Snapshots, keep);
    }

    private async ValueTask Tell(CaseReport report)
    {
        await Say($"      {report.Case.Cause}");
        foreach (var step in report.Steps)
            await Say($"        {step.Step.Do}  ({Text.Time(step.Duration)}, lock {step.Step.Lock})");
        await Say($"        {Text.Paint(report.Outcome.Word, report.Outcome is Outcome.Healed ? Text.Green : Text.Red, context.Colour)}"
            + (report.Outcome.Why is { } why ? $": {why}" : ""));
    }

    private async ValueTask Keep(Laboratory laboratory, ThrowawayCluster cluster)
    {
        laboratory.Keep();
        await Say($"\nThe server is left running. Look at it:\n  psql -h {cluster.SocketDirectory} -p {cluster.Port} -U postgres {SampleDatabase.Name}\n"
            + $"  KINTSUGI_STATE={Path.Combine(laboratory.Root, "state")} ./kintsugi cases\n"
            + $"Stop and remove it: pg_ctl -D {cluster.DataDirectory} stop, then rm -r {laboratory.Root}");
    }

    private Task Step(string text) =>
        context.Out.WriteLineAsync($"{Text.Paint($"{context.Clock.GetElapsedTime(begun).TotalSeconds,5:0.0} s", Text.Dim, context.Colour)}  {text}");

    private Task Say(string text) => context.Out.WriteLineAsync(text);
}
