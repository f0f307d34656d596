using System.Security.Cryptography;
using System.Text;
using Kintsugi.Cli.Options;
using Kintsugi.Cli.Output;
using Kintsugi.Postgres;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Operating.Stopped;
using Kintsugi.Postgres.Scratch;
using Kintsugi.Postgres.Snapshots;
using Kintsugi.State;

namespace Kintsugi.Cli.Runtime;

/// <summary>How putting the files back went on a copy.</summary>
/// <param name="Snapshot">The copy as it was before anything was put into it; null when it was not tried.</param>
/// <param name="Failure">Why nothing may be put in place; null when nothing spoke against it.</param>
/// <param name="Beside">Where the mended copy was left for the owner.</param>
internal sealed record Trial(string? Snapshot, string? Failure, string? Beside) : ISnapshots
{
    public static Trial NotYet { get; } = new(null, null, null);

    /// <summary>The copy was taken from these files before they were touched: it is the snapshot.</summary>
    public ValueTask<string?> Take(HealingCase healing, Plan plan, Patient patient, CancellationToken cancellationToken) => Snapshot is { } id
        ? ValueTask.FromResult<string?>(id)
        : throw new HealingException("nothing is put in place that was not tried on a copy first", mayPass: false);
}

/// <summary>Copies a stopped cluster, puts everything back in the copy that can be, starts it alone and examines it.</summary>
internal sealed class ClusterRehearsal(
    OfflineSource source, SnapshotStore store, StoredLedger ledger, HealArguments heal, ScrubArguments scrub, OutputArguments output, CliContext context)
{
    private const string Tried = "tried";

    public async ValueTask<Trial> Try(IReadOnlyList<Prospect> prospects, ScrubReport before, CancellationToken cancellationToken)
    {
        var planned = prospects.Where(prospect => prospect.Plan is not null).ToList();
        foreach (var prospect in planned)
            await CaseFiling.File(ledger, context.Clock, prospect.Case, cancellationToken);
        var key = await Key(planned, cancellationToken);
        if (heal.Beside is null && await Earlier(planned, key, cancellationToken) is { } earlier)
            return new Trial(earlier, null, null);
        try
        {
            await Say($"copying {source.Directory.Path} to try {Text.Count(planned.Count, "repair")} on the copy");
            var patient = await source.Open(null, cancellationToken);
            var id = (await new SnapshotTaker(store, null).Take(planned[0].Case.Id, $"before files of the stopped cluster in {source.Directory.Path} are put back",
                SnapshotGrade.Cluster, [], patient, cancellationToken))!;
            var objections = await Start(id, [.. planned.SelectMany(prospect => prospect.Plan!.Steps)], before, cancellationToken);
            var failure = objections.Count == 0 ? null
                : $"the repair was tried on a copy (snapshot {id}), and nothing was put in place: {string.Join("; ", objections.Take(5))}";
            await Record(planned, id, key, failure, cancellationToken);
            return new Trial(id, failure, failure is null && heal.Beside is { } place ? await LayBeside(id, place, planned, cancellationToken) : null);
        }
        catch (HealingException problem)
        {
            await Record(planned, null, key, problem.Message, cancellationToken);
            return new Trial(null, $"the repair was tried on a copy first, and nothing was put in place: {problem.Message}", null);
        }
    }

    private async ValueTask<IReadOnlyList<string>> Start(string id, IReadOnlyList<Step> steps, ScrubReport before, CancellationToken cancellationToken)
    {
        var programs = ServerPrograms.Find(source.Server.Major, heal.Programs ?? context.Variable("PG_BIN"), source.Directory.Path);
        await using var place = await TrialDirectory.Open(store.Show(id).Bytes, context.Clock, cancellationToken);
        await new SnapshotRestore(store) { Scratch = true }.LayOut(id, place.Copy, cancellationToken);
        await Say($"starting the copy in {place.Copy} on a private socket, and examining it");
        using var progress = new ProgressLine(context, output.Quiet);
        var trial = await new ClusterTrial(programs, null, PostgresRegistry.Create(), context.Clock).Run(
            SnapshotRestore.DataDirectory(place.Copy), steps, new ScrubSettings { Depth = scrub.Settings.Depth, Jobs = scrub.Settings.Jobs }, progress, cancellationToken);
        await Say($"the copy runs: {trial.Scrub.Count<Verdict.Sound>()} sound, {trial.Scrub.Count<Verdict.Damaged>()} damaged, {trial.Scrub.Count<Verdict.Unchecked>()} unchecked");
        return trial.Objections(before.Findings);
    }

    private async ValueTask<string> LayBeside(string id, string place, List<Prospect> planned, CancellationToken cancellationToken)
    {
        await new SnapshotRestore(store).LayOut(id, place, async data =>
        {
            foreach (var step in planned.SelectMany(prospect => prospect.Plan!.Steps))
                await ClusterFileStep.Run(ClusterFileStep.ForCopy(step, data), data, cancellationToken);
            await ClusterOwner.Take(place, source.Directory.Path, cancellationToken);
        }, cancellationToken);
        return SnapshotRestore.DataDirectory(place);
    }

    /// <summary>What was tried and when it would have to be tried again: the plans, which hold the sums of what they replace, and the control file.</summary>
    private async ValueTask<string> Key(List<Prospect> planned, CancellationToken cancellationToken)
    {
        var control = new byte[8192];
        var read = await source.Directory.Files.Read("global/pg_control", 0, control, cancellationToken);
        var plans = string.Join('\n', planned.Select(prospect => prospect.Plan!.Hash).Order(StringComparer.Ordinal));
        return Convert.ToHexStringLower(SHA256.HashData([.. Encoding.ASCII.GetBytes(plans), .. control.AsSpan(0, read)]));
    }

    /// <returns>The snapshot of an earlier trial of the same, which is still there; null when it has to be tried.</returns>
    private async ValueTask<string?> Earlier(List<Prospect> planned, string key, CancellationToken cancellationToken)
    {
        var facts = await ledger.FactsOf(planned[0].Case.Id, cancellationToken);
        return facts.LastOrDefault(fact => fact.Kind == Tried) is { } last && Facts.Read(last.Data) is var said && said.GetValueOrDefault("key") == key
            && said.GetValueOrDefault("failure") is null && said.GetValueOrDefault("snapshot") is { } id && store.Ids().Contains(id) ? id : null;
    }

    private async ValueTask Record(List<Prospect> planned, string? snapshot, string key, string? failure, CancellationToken cancellationToken)
    {
        foreach (var prospect in planned)
            await ledger.Append(new Fact(prospect.Case.Id, prospect.Case.Target.Server, Tried,
                failure ?? $"tried on a copy, which started and was examined (snapshot {snapshot})",
                Facts.Data(("snapshot", snapshot), ("key", key), ("failure", failure)), context.Clock.GetUtcNow()), cancellationToken);
    }

    private async ValueTask Say(string what)
    {
        if (!output.Quiet && !output.Json)
            await context.Error.WriteLineAsync($"kintsugi: {what}");
    }
}
