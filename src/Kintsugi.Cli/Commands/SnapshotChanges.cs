using System.CommandLine;
using Kintsugi.Cli.Options;
using Kintsugi.Cli.Output;
using Kintsugi.Cli.Runtime;
using Kintsugi.State;

namespace Kintsugi.Cli.Commands;

/// <summary>Snapshots that a person takes, lays out or lets go.</summary>
internal static class SnapshotChanges
{
    public static Command Create(CliContext context)
    {
        var command = new Command("create", "Copy relations' files (-t, -i) or, without a selection, the whole cluster, with all tablespaces and its WAL.");
        var patient = new PatientOptions();
        var selection = new SelectionOptions();
        var why = new Option<string?>("--because") { Description = "why it is taken" };
        patient.AddTo(command);
        selection.AddTo(command);
        command.Add(why);
        command.SetAction((parsed, stop) =>
            Take(patient.Read(parsed), selection.Read(parsed), parsed.GetValue(why) ?? "asked for by a person", context, stop));
        return command;
    }

    private static async Task<int> Take(
        PatientArguments patient, Selection selection, string why, CliContext context, CancellationToken cancellationToken)
    {
        await using var clinic = await Clinic.Connect(patient, null, context, cancellationToken);
        var store = Shelf.Open(clinic.Configuration, context);
        var opened = await clinic.Source.Open(clinic.Source.Databases[0], cancellationToken);
        await using var session = opened.Sql;
        var filter = selection.Filter;
        if (filter is not null)
            selection.Validate([opened.Relations]);
        var targets = filter is null ? [] : opened.Relations.Relations.Where(relation => relation.HasStorage && filter(relation))
            .Select(relation => relation.ToTarget(clinic.Server.SystemIdentifier, opened.Relations.Database)).ToList();
        var id = await Shelf.Taker(clinic.Configuration, clinic.Factory, context).Take(
            null, why, filter is null ? SnapshotGrade.Cluster : SnapshotGrade.Relation, targets, opened, cancellationToken);
        var manifest = store.Show(id);
        await context.Out.WriteLineAsync($"snapshot {id}: {Text.Count(manifest.Files.Count, "file")}, {Text.Bytes(manifest.Bytes)}, in {store.PlaceOf(id)}");
        return ExitCodes.Sound;
    }

    public static Command Prune(CliContext context)
    {
        var command = new Command("prune", "Remove old snapshots; never one whose case is still open.");
        var last = new Option<int?>("--keep-last") { Description = "keep so many" };
        var age = new Option<string?>("--older-than") { Description = "remove those older than this (30d)" };
        var size = new Option<long?>("--keep-megabytes") { Description = "keep so many megabytes in all" };
        var dry = new Option<bool>("--dry-run") { Description = "only say what would go" };
        var file = SnapshotsCommand.ConfigurationOption();
        foreach (var option in new Option[] { last, age, size, dry, file })
            command.Add(option);
        command.SetAction(async (parsed, stop) =>
        {
            var kept = new SnapshotsKept
            {
                Last = parsed.GetValue(last),
                Age = parsed.GetValue(age) is { } text ? Duration.Parse(text, "--older-than") : null,
                Bytes = parsed.GetValue(size) << 20,
            };
            if (kept is { Last: null, Age: null, Bytes: null })
                throw new UsageException("say what to keep: --keep-last, --older-than or --keep-megabytes");
            return await Prune(SnapshotsCommand.Store(context, parsed.GetValue(file)), kept, parsed.GetValue(dry), context, stop);
        });
        return command;
    }

    private static async Task<int> Prune(SnapshotStore store, SnapshotsKept kept, bool dry, CliContext context, CancellationToken cancellationToken)
    {
        await using var ledger = Memory.Open(context);
        var chosen = SnapshotPruning.Choose(store.List(), kept, await ledger.Cases(null, cancellationToken), context.Clock.GetUtcNow());
        foreach (var item in chosen)
            await context.Out.WriteLineAsync($"{(item.Goes ? dry ? "would go" : "removed" : "stays"),-9} {item.Snapshot.Id}  {item.Reason}");
        if (!dry)
            SnapshotPruning.Remove(store, chosen, context.Clock.GetUtcNow());
        if (chosen.Count == 0)
            await context.Out.WriteLineAsync("Nothing is beyond those limits.");
        return ExitCodes.Sound;
    }
}
