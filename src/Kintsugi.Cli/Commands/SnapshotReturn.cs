using System.CommandLine;
using Kintsugi.Cli.Options;
using Kintsugi.Cli.Output;
using Kintsugi.Cli.Runtime;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Operating.Stopped;
using Kintsugi.State;

namespace Kintsugi.Cli.Commands;

/// <summary>`snapshots restore`: beside what lives, or the files of a relation back into their stopped cluster where nothing can be lost by it.</summary>
internal static class SnapshotReturn
{
    public static Command Create(CliContext context)
    {
        var command = new Command("restore", "Lay a snapshot out in an empty directory (--to), or put a relation's files back into the stopped cluster that they came from (-D).");
        var id = new Argument<string>("id") { Description = "the snapshot" };
        var target = new Option<string?>("--to") { Description = "a directory that is empty or does not exist yet" };
        var data = new Option<string?>("-D", "--pgdata") { Description = "the data directory of the stopped cluster: only where no WAL has touched the relation since" };
        var verbose = new Option<bool>("--verbose", "-v") { Description = "name each file" };
        var file = SnapshotsCommand.ConfigurationOption();
        command.Add(id);
        command.Add(target);
        command.Add(data);
        command.Add(verbose);
        command.Add(file);
        command.SetAction(async (parsed, stop) =>
        {
            var store = SnapshotsCommand.Store(context, parsed.GetValue(file));
            var restore = new SnapshotRestore(store) { Told = parsed.GetValue(verbose) ? context.Error.WriteLine : null };
            return (parsed.GetValue(target), parsed.GetValue(data)) switch
            {
                ({ } place, null) => await LayOut(restore, parsed.GetValue(id)!, place, context, stop),
                (null, { } cluster) => await PutBack(store, restore, parsed.GetValue(id)!, cluster, context, stop),
                _ => throw new UsageException("say where: --to NEW-DIRECTORY, or -D DATA-DIRECTORY of the stopped cluster"),
            };
        });
        return command;
    }

    private static async Task<int> LayOut(SnapshotRestore restore, string id, string target, CliContext context, CancellationToken cancellationToken)
    {
        var manifest = await restore.LayOut(id, target, cancellationToken);
        await context.Out.WriteLineAsync($"laid out {Text.Count(manifest.Files.Count, "file")} of snapshot {manifest.Id} in {target}"
            + (manifest.Grade == SnapshotGrade.Cluster
                ? $"; its data directory is {SnapshotRestore.DataDirectory(target)}: examine it with kintsugi check -D"
                    + (Environment.IsPrivilegedProcess ? ". Its files belong to root: chown -R to the server's user before a server starts on it" : "")
                : "; they are evidence: putting files back under a living server is not done"));
        return ExitCodes.Sound;
    }

    private static async Task<int> PutBack(
        SnapshotStore store, SnapshotRestore restore, string id, string path, CliContext context, CancellationToken cancellationToken)
    {
        var manifest = store.Show(id);
        await using var operation = await new StoppedRoom(path).Enter(manifest.Database ?? "postgres", cancellationToken);
        var plan = new Plan("restore", []) { Case = manifest.Case ?? "", Alters = [], Snapshot = SnapshotGrade.Relation };
        var directory = DataDirectory.Open(path);
        var back = new RelationReturn(directory, manifest);
        back.Sweep();
        if ((await operation.Preflight(plan, cancellationToken) ?? await back.Obstacle(cancellationToken)) is { } obstacle)
            throw new StateException($"snapshot {id} is not put back into {path}: {obstacle}. kintsugi snapshots restore {id} --to NEW lays it out beside");
        var before = await Keep(store, manifest, directory, back.Files, cancellationToken);
        restore.Told?.Invoke($"what stands there is snapshot {before}");
        await restore.Stage(id, directory.Path, RelationReturn.Draft, cancellationToken);
        await back.Take(restore.Told, cancellationToken);
        await context.Out.WriteLineAsync($"put {Text.Count(back.Files.Count, "file")} of {string.Join(", ", manifest.Objects.Select(item => item.Name))} back into {path}. "
            + $"What stood there is snapshot {before}: kintsugi snapshots restore {before} -D {path} takes it back. Look at it: kintsugi check -D {path}");
        return ExitCodes.Sound;
    }

    /// <summary>What is replaced is a snapshot of the same kind, and goes back by the same way.</summary>
    private static async ValueTask<string> Keep(
        SnapshotStore store, SnapshotManifest manifest, DataDirectory directory, IReadOnlyList<string> files, CancellationToken cancellationToken)
    {
        var control = directory.Control!;
        var now = new SnapshotManifest
        {
            Case = manifest.Case,
            Why = $"before snapshot {manifest.Id} was put back",
            Grade = SnapshotGrade.Relation,
            Server = manifest.Server,
            Version = manifest.Version,
            Database = manifest.Database,
            Lsn = $"{control.Checkpoint >> 32:X}/{(uint)control.Checkpoint:X}",
            Timeline = (int)control.Timeline,
            Objects = manifest.Objects,
        };
        await using var draft = await store.Begin(now, files.Sum(file => Math.Max(0, directory.Files.Length(file))), cancellationToken);
        foreach (var file in files)
            await draft.Copy(Path.Combine(directory.Path, file), $"{SnapshotLayout.Data}/{file}", null, cancellationToken);
        await draft.Complete(whole => whole, cancellationToken);
        return draft.Id;
    }
}
