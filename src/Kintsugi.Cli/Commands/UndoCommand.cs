using System.CommandLine;
using Kintsugi.Cli.Options;
using Kintsugi.Cli.Runtime;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Operating.Stopped;
using Kintsugi.Postgres.Repairs.Pages;
using Kintsugi.Postgres.Repairs.Rows;
using Kintsugi.State;

namespace Kintsugi.Cli.Commands;

/// <summary>Puts back all that a case changed.</summary>
internal static class UndoCommand
{
    public static Command Create(CliContext context)
    {
        var command = new Command("undo", "Put back all that a case changed, in one transaction, or say what stands against it.");
        var id = CaseWords.Id();
        command.Add(id);
        var patient = new PatientOptions();
        patient.AddTo(command);
        command.SetAction((parsed, stop) => Run(parsed.GetValue(id)!, patient.Read(parsed), context, stop));
        return command;
    }

    private static async Task<int> Run(string id, PatientArguments patient, CliContext context, CancellationToken cancellationToken)
    {
        await using var ledger = Memory.Open(context);
        var (row, facts) = await CaseWords.Find(ledger, id, cancellationToken);
        if (await StoppedPatient.Find(patient, null, context, cancellationToken) is { } stopped)
            return await Files(row, facts, stopped, ledger, context, cancellationToken);
        await using var clinic = await Clinic.Connect(patient, null, context, cancellationToken);
        if (row.Server != clinic.Server.SystemIdentifier)
            throw new UsageException($"case {row.Id} belongs to server {row.Server}, and this is {clinic.Server.SystemIdentifier}");
        if (row.Database is not { } database)
            throw new UsageException($"case {row.Id} is about the whole server: what it changed is in its snapshot ({row.Snapshot ?? "none"})");
        if (PageUndo.Of(facts) is { Count: > 0 } pages)
            return await Pages(row, pages, new PageUndo(clinic.Factory, clinic.Room(context.Clock), database), ledger, context, cancellationToken);
        var quarantine = new Quarantine(clinic.Factory, clinic.Room(context.Clock), database);
        var kept = await quarantine.List(Quarantine.OfCase, cancellationToken, row.Id);
        if (kept.All(entry => entry.RestoredAt is not null))
        {
            await context.Out.WriteLineAsync(kept.Count > 0 ? $"case {row.Id}: everything was put back before" : Nothing(row, facts));
            return ExitCodes.Sound;
        }
        var person = context.Around.OperatingSystemUser;
        var rows = await quarantine.Restore($"undo by {person}", Quarantine.OfCase, cancellationToken, row.Id);
        await ledger.Append(new Fact(row.Id, row.Server, Facts.Undone, $"undone by {person}: {rows} rows put back",
            Facts.Data(("by", person), ("rows", rows.ToString())), context.Clock.GetUtcNow()), cancellationToken);
        await context.Out.WriteLineAsync($"case {row.Id} ({row.Object}, {row.Fault}): undone, {rows} {(rows == 1 ? "row" : "rows")} put back. "
            + "The next check will find what it was about again");
        return ExitCodes.Sound;
    }

    /// <summary>Files of a stopped cluster, the last one first.</summary>
    private static async Task<int> Files(
        CaseRow row, IReadOnlyList<Fact> facts, OfflineSource stopped, StoredLedger ledger, CliContext context, CancellationToken cancellationToken)
    {
        var (person, directory) = (context.Around.OperatingSystemUser, stopped.Directory.Path);
        if (row.Server != stopped.Server.SystemIdentifier)
            throw new UsageException($"case {row.Id} belongs to server {row.Server}, and {directory} to {stopped.Server.SystemIdentifier}");
        var steps = StepDone.Of(facts).Where(done => done.Step.Kind == ClusterFileStep.Name).Reverse().ToList();
        if (steps.Count == 0)
        {
            await context.Out.WriteLineAsync($"case {row.Id}: no file was put in place, so nothing is to be undone without its server");
            return ExitCodes.Sound;
        }
        await using var stay = await new StoppedRoom(directory).Enter("", cancellationToken);
        foreach (var done in steps)
            await ClusterFileStep.Undo(done, directory, cancellationToken);
        await ledger.Append(new Fact(row.Id, row.Server, Facts.Undone, $"undone by {person}: {steps.Count} files are as they were",
            Facts.Data(("by", person), ("files", steps.Count.ToString())), context.Clock.GetUtcNow()), cancellationToken);
        await context.Out.WriteLineAsync($"case {row.Id} ({row.Object}, {row.Fault}): undone, {steps.Count} {(steps.Count == 1 ? "file is" : "files are")} as before");
        return ExitCodes.Sound;
    }

    private static async Task<int> Pages(
        CaseRow row, IReadOnlyList<StepDone> steps, PageUndo undo, StoredLedger ledger, CliContext context, CancellationToken cancellationToken)
    {
        var person = context.Around.OperatingSystemUser;
        var count = await undo.Undo(steps, cancellationToken);
        await ledger.Append(new Fact(row.Id, row.Server, Facts.Undone, $"undone by {person}: {count} pages are as they were",
            Facts.Data(("by", person), ("pages", count.ToString())), context.Clock.GetUtcNow()), cancellationToken);
        await context.Out.WriteLineAsync($"case {row.Id} ({row.Object}, {row.Fault}): undone, {count} {(count == 1 ? "page is" : "pages are")} as before. "
            + "The next check will find what it was about again");
        return ExitCodes.Sound;
    }

    private static string Nothing(CaseRow row, IReadOnlyList<Fact> facts)
    {
        var history = new CaseHistory(facts);
        return history.ReadPlan() is not { } plan || !facts.Any(fact => fact.Kind == Facts.Done)
            ? $"case {row.Id}: nothing was changed, so nothing is to be undone"
            : plan.Grade == Grade.Lossless
                ? $"case {row.Id}: {plan.Repair} lost nothing and changed no row: there is nothing to undo"
                : $"case {row.Id}: {plan.Repair} kept no rows; {(row.Snapshot is { } snapshot ? $"what it altered is in snapshot {snapshot}" : "its steps are in "
                    + $"kintsugi cases show {row.Id}")}";
    }
}
