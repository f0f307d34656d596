using System.CommandLine;
using Kintsugi.Cli.Options;
using Kintsugi.Cli.Output;
using Kintsugi.Cli.Runtime;
using Kintsugi.State;

namespace Kintsugi.Cli.Commands;

/// <summary>The copies that were taken before repairs: list, show, verify, create, restore, prune.</summary>
internal static class SnapshotsCommand
{
    public static Command Create(CliContext context)
    {
        var command = new Command("snapshots", "List, show, verify, create, restore and prune the copies that are taken before repairs.");
        var output = new OutputOptions("text", "json");
        output.AddTo(command);
        command.SetAction((parsed, _) => List(output.Read(parsed), Store(context), context));
        var list = new Command("list", "List every snapshot, the newest first.");
        var listOutput = new OutputOptions("text", "json");
        listOutput.AddTo(list);
        var file = ConfigurationOption();
        list.Add(file);
        list.SetAction((parsed, _) => List(listOutput.Read(parsed), Store(context, parsed.GetValue(file)), context));
        command.Add(list);
        command.Add(One(context, "show", "Show what a snapshot holds, why and of when.", Show));
        command.Add(SnapshotVerification.Create(context));
        command.Add(SnapshotChanges.Create(context));
        command.Add(SnapshotReturn.Create(context));
        command.Add(SnapshotChanges.Prune(context));
        return command;
    }

    public static Option<string?> ConfigurationOption() => new("--config", "-c") { Description = "configuration file (default: $KINTSUGI_CONFIG, else none)" };

    private static Command One(
        CliContext context, string name, string description,
        Func<SnapshotStore, string, OutputArguments, CliContext, CancellationToken, Task<int>> run)
    {
        var command = new Command(name, description);
        var id = new Argument<string>("id") { Description = "the snapshot" };
        var output = new OutputOptions("text", "json");
        var file = ConfigurationOption();
        command.Add(id);
        command.Add(file);
        output.AddTo(command);
        command.SetAction((parsed, stop) => run(Store(context, parsed.GetValue(file)), parsed.GetValue(id)!, output.Read(parsed), context, stop));
        return command;
    }

    private static async Task<int> List(OutputArguments output, SnapshotStore store, CliContext context)
    {
        var all = store.List().OrderByDescending(manifest => manifest.Created).ToList();
        await context.Out.WriteLineAsync(output.Json ? SnapshotsOutput.Json(all) : SnapshotsOutput.Text(all, store.Directory));
        return ExitCodes.Sound;
    }

    private static async Task<int> Show(
        SnapshotStore store, string id, OutputArguments output, CliContext context, CancellationToken cancellationToken)
    {
        var manifest = store.Show(id);
        await context.Out.WriteLineAsync(output.Json ? SnapshotsOutput.Json([manifest]) : SnapshotsOutput.Text(manifest, store.PlaceOf(id)));
        return ExitCodes.Sound;
    }

    /// <summary>In the directory that $KINTSUGI_CONFIG or -c names, else in the state directory.</summary>
    public static SnapshotStore Store(CliContext context, string? file = null) => Shelf.Open(ConfigurationFile.Load(file, context), context);
}
