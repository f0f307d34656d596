using System.CommandLine;
using Kintsugi.Cli.Options;
using Kintsugi.Cli.Output;
using Kintsugi.Cli.Runtime;
using Kintsugi.Postgres;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Scratch;
using Kintsugi.State;

namespace Kintsugi.Cli.Commands;

/// <summary>Reads a snapshot again, or starts it alone and examines it: a copy that was never started is a hope.</summary>
internal static class SnapshotVerification
{
    public static Command Create(CliContext context)
    {
        var command = new Command("verify", "Read a snapshot again and compare every byte's sum; with --start, run a check on a server that is started from it.");
        var id = new Argument<string>("id") { Description = "the snapshot" };
        var start = new Option<bool>("--start") { Description = "lay a cluster snapshot out in $TMPDIR, start it on a private socket, and check it" };
        var programs = new Option<string?>("--pg-bin") { Description = "with --start: a directory with postgres and pg_ctl of its major" };
        var file = SnapshotsCommand.ConfigurationOption();
        var scrub = new ScrubOptions();
        var output = new OutputOptions("text", "json");
        foreach (var option in new Option[] { start, programs, file })
            command.Add(option);
        command.Add(id);
        scrub.AddTo(command);
        output.AddTo(command);
        command.SetAction((parsed, stop) =>
        {
            var (store, given) = (SnapshotsCommand.Store(context, parsed.GetValue(file)), output.Read(parsed));
            return parsed.GetValue(start)
                ? Start(store, parsed.GetValue(id)!, parsed.GetValue(programs) ?? context.Variable("PG_BIN"), scrub.Read(parsed), given, context, stop)
                : Read(store, parsed.GetValue(id)!, given, context, stop);
        });
        return command;
    }

    private static async Task<int> Read(SnapshotStore store, string id, OutputArguments output, CliContext context, CancellationToken cancellationToken)
    {
        var faults = await store.Verify(id, cancellationToken);
        var manifest = faults.Count == 0 ? store.Show(id) : null;
        if (output.Json)
            await context.Out.WriteLineAsync(SnapshotsOutput.Verified(id, faults));
        else if (manifest is { Files.Count: 0, Grade: SnapshotGrade.Cluster })
            await context.Out.WriteLineAsync($"snapshot {id}: it was taken by the owner's command, and nothing of it lies here to be read: {string.Join("; ", manifest.Notes)}");
        else if (faults.Count == 0)
            await context.Out.WriteLineAsync($"snapshot {id}: every file is there and has the sum that was written down");
        else
            foreach (var fault in faults)
                await context.Out.WriteLineAsync($"snapshot {id}: {fault}");
        return faults.Count > 0 ? ExitCodes.Damage : manifest is { Files.Count: 0, Grade: SnapshotGrade.Cluster } ? ExitCodes.Unchecked : ExitCodes.Sound;
    }

    private static async Task<int> Start(
        SnapshotStore store, string id, string? programs, ScrubArguments scrub, OutputArguments output, CliContext context, CancellationToken cancellationToken)
    {
        var manifest = store.Show(id);
        if (manifest.Grade != SnapshotGrade.Cluster || manifest.Files.Count == 0)
            throw new UsageException($"snapshot {id} holds no cluster that could be started ({manifest.Grade.ToString().ToLowerInvariant()}, {manifest.Files.Count} files)");
        await using var place = await TrialDirectory.Open(manifest.Bytes, context.Clock, cancellationToken);
        await new SnapshotRestore(store) { Scratch = true }.LayOut(id, place.Copy, cancellationToken);
        var data = SnapshotRestore.DataDirectory(place.Copy);
        var registry = PostgresRegistry.Create();
        using var progress = new ProgressLine(context, output.Quiet);
        var trial = await new ClusterTrial(ServerPrograms.Find(DataDirectory.Open(data).Major, programs, null), null, registry, context.Clock)
            .Run(data, [], scrub.Settings, progress, cancellationToken);
        foreach (var (database, why) in trial.Closed)
            await context.Error.WriteLineAsync($"kintsugi: database {database} of snapshot {id} cannot be entered: {why}");
        if (output.Json)
            await CheckJson.Write(context.Out, trial.Server, $"snapshot {id}", trial.Scrub, registry, Baseline.None);
        else
            await CheckText.Write(context, trial.Server, $"snapshot {id}", trial.Scrub, Baseline.None, output.Quiet, output.Verbose);
        return trial.Closed.Count > 0 ? ExitCodes.Damage : CheckCommand.ExitCode(trial.Scrub, Baseline.None, scrub.Strict);
    }
}
