using System.CommandLine;
using Kintsugi.Cli.Options;
using Kintsugi.Cli.Runtime;

namespace Kintsugi.Cli.Commands;

/// <summary>Everything about a case that whoever looks into it later will ask for, in one directory.</summary>
internal static class BundleCommand
{
    public static Command Create(CliContext context)
    {
        var command = new Command("bundle", "Gather everything about a case for whoever looks into it: pages, settings, log, control file.");
        var id = CaseWords.Id();
        var into = new Option<string?>("--out") { Description = "a directory that does not exist yet (default: bundles in the state directory)" };
        var patient = new PatientOptions();
        command.Add(id);
        command.Add(into);
        patient.AddTo(command, positional: false);
        command.SetAction((parsed, stop) => Run(parsed.GetValue(id)!, parsed.GetValue(into), patient.Read(parsed), context, stop));
        return command;
    }

    private static async Task<int> Run(string id, string? into, PatientArguments patient, CliContext context, CancellationToken cancellationToken)
    {
        await using var ledger = Memory.Open(context);
        var (row, facts) = await CaseWords.Find(ledger, id, cancellationToken);
        var path = into ?? Path.Combine(Memory.Directory(context).Path, "bundles", $"{row.Id}-{context.Clock.GetUtcNow():yyyyMMdd-HHmmss}");
        var bundle = CaseBundle.Begin(path);
        await bundle.Case(row, facts, cancellationToken);
        await using var clinic = await Clinic.Connect(patient, null, context, cancellationToken);
        if (row.Server != clinic.Server.SystemIdentifier)
            throw new UsageException($"case {row.Id} belongs to server {row.Server}, and this is {clinic.Server.SystemIdentifier}: what is of the case itself "
                + $"lies in {bundle.Directory}");
        var database = row.Database is { } own && clinic.Source.Databases.Contains(own) ? own : clinic.Source.Databases[0];
        var opened = await clinic.Source.Open(database, cancellationToken);
        await using var session = opened.Sql;
        await bundle.Server(opened, cancellationToken);
        await bundle.Pages(new CaseHistory(facts).ReadCase(row.Id)?.Findings ?? [], opened, context, cancellationToken);
        await bundle.End(context.Clock.GetUtcNow(), cancellationToken);
        await context.Out.WriteLineAsync($"case {row.Id}: {bundle.Files} files in {bundle.Directory}, for this user alone. Passwords are taken out; pages, plans and "
            + "samples hold values of rows: decide who may see them");
        return ExitCodes.Sound;
    }
}
