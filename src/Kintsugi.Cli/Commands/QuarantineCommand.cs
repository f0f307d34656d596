using System.CommandLine;
using Kintsugi.Cli.Options;
using Kintsugi.Cli.Output;
using Kintsugi.Cli.Runtime;
using Kintsugi.Postgres.Repairs.Rows;

namespace Kintsugi.Cli.Commands;

/// <summary>The rows that repairs put away: list, show, put back, end.</summary>
internal static class QuarantineCommand
{
    public static Command Create(CliContext context)
    {
        var command = new Command("quarantine", "List, show, put back or end the rows that repairs put away.");
        command.Add(Listing(context));
        command.Add(Showing(context));
        command.Add(Restoring(context));
        command.Add(Purging(context));
        return command;
    }

    private static Command Listing(CliContext context)
    {
        var command = new Command("list", "List the kept rows, the oldest first.");
        var patient = new PatientOptions();
        var output = new OutputOptions("text", "json");
        var all = new Option<bool>("--restored") { Description = "also rows that were put back" };
        patient.AddTo(command);
        output.AddTo(command);
        command.Add(all);
        command.SetAction((parsed, stop) => Told(
            patient.Read(parsed), output.Read(parsed), parsed.GetValue(all) ? "true" : "q.restored_at IS NULL", [], false, context, stop));
        return command;
    }

    private static Command Showing(CliContext context)
    {
        var command = new Command("show", "Show a kept row, or all of a case, column by column.");
        var id = Id();
        command.Add(id);
        var patient = new PatientOptions();
        var output = new OutputOptions("text", "json");
        patient.AddTo(command);
        output.AddTo(command);
        command.SetAction((parsed, stop) =>
        {
            var (where, parameter) = Which(parsed.GetValue(id)!);
            return Told(patient.Read(parsed), output.Read(parsed), where, [parameter], true, context, stop);
        });
        return command;
    }

    private static Command Restoring(CliContext context)
    {
        var command = new Command("restore", "Put a kept row, or all of a case, back in one transaction.");
        var id = Id();
        command.Add(id);
        var patient = new PatientOptions();
        patient.AddTo(command);
        command.SetAction(async (parsed, stop) =>
        {
            await using var clinic = await Clinic.Connect(patient.Read(parsed), null, context, stop);
            var (where, parameter) = Which(parsed.GetValue(id)!);
            var restored = 0;
            foreach (var (database, quarantine) in Kept(clinic, context))
            {
                var rows = await quarantine.Restore($"by {context.Around.OperatingSystemUser}", where, stop, parameter);
                restored += rows;
                if (rows > 0)
                    await context.Out.WriteLineAsync($"database {database}: {rows} {(rows == 1 ? "row was" : "rows were")} put back");
            }
            return restored > 0 ? ExitCodes.Sound : throw new UsageException($"no kept row of {parsed.GetValue(id)} waits to be put back");
        });
        return command;
    }

    private static Command Purging(CliContext context)
    {
        var command = new Command("purge", "End kept rows for good, for retention or an erasure request.");
        var id = new Argument<string?>("id") { Description = "a kept row's number or a case; without it, every row", Arity = ArgumentArity.ZeroOrOne };
        var older = new Option<string?>("--older-than") { Description = "only rows put away longer ago than this (30d)" };
        var yes = new Option<bool>("--yes") { Description = "end also rows that were never put back" };
        command.Add(id);
        var patient = new PatientOptions();
        patient.AddTo(command);
        command.Add(older);
        command.Add(yes);
        command.SetAction((parsed, stop) => Purge(
            patient.Read(parsed), parsed.GetValue(id), parsed.GetValue(older), parsed.GetValue(yes), context, stop));
        return command;
    }

    private static async Task<int> Purge(
        PatientArguments patient, string? id, string? older, bool yes, CliContext context, CancellationToken cancellationToken)
    {
        if (id is null && older is null)
            throw new UsageException("say which: a row's number, a case, or --older-than 30d");
        var (where, parameter) = id is null ? ("true", (object?)null) : Which(id);
        var parameters = new List<object?>(id is null ? [] : [parameter]);
        if (older is not null)
        {
            parameters.Add(Duration.Parse(older, "--older-than").TotalSeconds);
            where += $" AND q.at < pg_catalog.now() - pg_catalog.make_interval(secs => ${parameters.Count})";
        }
        if (!yes)
            where += " AND q.restored_at IS NOT NULL";
        await using var clinic = await Clinic.Connect(patient, null, context, cancellationToken);
        foreach (var (database, quarantine) in Kept(clinic, context))
        {
            var (lost, all) = await quarantine.Purge(where, cancellationToken, [.. parameters]);
            await context.Out.WriteLineAsync($"database {database}: {all} kept rows ended, {lost} of them were never put back");
        }
        if (!yes)
            await context.Error.WriteLineAsync("kintsugi: only rows that were put back already; --yes ends the others too");
        return ExitCodes.Sound;
    }

    private static async Task<int> Told(
        PatientArguments patient, OutputArguments output, string where, object?[] parameters, bool whole, CliContext context,
        CancellationToken cancellationToken)
    {
        await using var clinic = await Clinic.Connect(patient, null, context, cancellationToken);
        var found = new List<(string Database, QuarantineEntry Entry)>();
        foreach (var (database, quarantine) in Kept(clinic, context))
            found.AddRange((await quarantine.List(where, cancellationToken, parameters)).Select(entry => (database, entry)));
        if (whole && found.Count == 0)
            throw new UsageException($"no row of {parameters[0]} is in quarantine; kintsugi quarantine list shows those that are");
        await context.Out.WriteLineAsync(output.Json ? QuarantineOutput.Json(found)
            : found.Count == 0 ? "No row is in quarantine." : QuarantineOutput.Text(found, whole));
        return ExitCodes.Sound;
    }

    private static Argument<string> Id() => new("id") { Description = "a kept row's number, or a case" };

    /// <summary>Numbers of kept rows are plain; cases have twelve hexadecimal digits.</summary>
    private static (string Where, object? Parameter) Which(string id) =>
        id.Length < 12 && long.TryParse(id, out var number) ? (Quarantine.OfId, number) : (Quarantine.OfCase, id);

    private static IEnumerable<(string Database, Quarantine Quarantine)> Kept(Clinic clinic, CliContext context) =>
        clinic.Source.Databases.Select(database => (database, new Quarantine(clinic.Factory, clinic.Room(context.Clock), database)));
}
