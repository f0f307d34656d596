using System.CommandLine;
using Kintsugi.Cli.Options;
using Kintsugi.Cli.Output;
using Kintsugi.Cli.Runtime;
using Kintsugi.Postgres;
using Kintsugi.Postgres.Files.Offline;

namespace Kintsugi.Cli.Commands;

/// <summary>Checks, plans, snapshots, repairs, verifies.</summary>
internal static class HealCommand
{
    public static Command Create(CliContext context)
    {
        var command = new Command("heal", "Check, plan, save what is broken, repair it, and prove the repair.");
        var patient = new PatientOptions();
        var scrub = new ScrubOptions();
        var heal = new HealOptions();
        var output = new OutputOptions("text", "json");
        patient.AddTo(command);
        scrub.AddTo(command);
        heal.AddTo(command);
        output.AddTo(command);
        command.SetAction((parsed, stop) =>
            Run(patient.Read(parsed), scrub.Read(parsed), heal.Read(parsed), output.Read(parsed), context, stop));
        return command;
    }

    private static async Task<int> Run(
        PatientArguments patient, ScrubArguments scrub, HealArguments heal, OutputArguments output, CliContext context,
        CancellationToken cancellationToken)
    {
        if (heal.DryRun)
            return await PlanCommand.Run(patient, scrub, output, null, context, cancellationToken);
        if (heal.Repair is { } repair && PostgresRegistry.Create().Repairs.All(known => known.Id != repair))
            throw new UsageException($"there is no repair called {repair}; kintsugi doctor lists them");
        var begun = context.Clock.GetUtcNow();
        var approved = heal.PlanFile is { } file ? await PlanFile.Read(file, cancellationToken) : null;
        if (await StoppedPatient.Find(patient, scrub.MaxRate, context, cancellationToken) is { } stopped)
        {
            approved?.MustBeFor(stopped.Server.SystemIdentifier);
            await using var memory = Memory.Open(context);
            var offline = new StoppedTheatre(stopped, ConfigurationFile.Load(patient.ConfigFile, context), memory, heal, scrub, output, approved, context);
            var (seen, last) = await offline.Run(cancellationToken);
            return await TellOfFiles(stopped, offline.Registry, seen, last, heal, scrub, output, begun, context, cancellationToken);
        }
        if (heal.Beside is not null)
            throw new UsageException("--beside is for the files of a server that is down: name them with -D, and no connection");
        var entry = await LockedOut.Enter(patient, scrub, heal, output, context, cancellationToken);
        if (entry is { Clinic: null, Locked: var (source, registry, found) })
            return await TellOfFiles(source, registry, entry.Cases, found, heal, scrub, output, begun, context, cancellationToken);
        await using var clinic = entry.Clinic!;
        approved?.MustBeFor(clinic.Server.SystemIdentifier);
        await using var ledger = Memory.OpenBeside(clinic.Server, context);
        var theatre = new Theatre(clinic, ledger, heal, scrub, output, approved, context);
        var (treated, report) = await theatre.Run(cancellationToken);
        await ledger.RecordProofs(clinic.Server.SystemIdentifier, report, cancellationToken);
        var baseline = await Baseline.Of(
            ledger, clinic.Server.SystemIdentifier, report.Findings, context.Clock.GetUtcNow(), cancellationToken);
        IReadOnlyList<CaseReport> cases = [.. entry.Cases, .. treated];
        if (output.Json)
            await context.Out.WriteLineAsync(HealJson.Write(clinic.Subject, begun, context.Clock.GetUtcNow(), cases, report, baseline));
        else
            await HealText.Write(context, heal, cases, report, baseline, output);
        return ExitCode(cases, report, baseline, scrub.Strict);
    }

    /// <summary>Of a server that is down, or that still lets nobody in.</summary>
    private static async Task<int> TellOfFiles(
        OfflineSource source, Registry registry, IReadOnlyList<CaseReport> cases, ScrubReport report, HealArguments heal, ScrubArguments scrub,
        OutputArguments output, DateTimeOffset begun, CliContext context, CancellationToken cancellationToken)
    {
        var baseline = await Memory.Keep(source.Server, report, context, cancellationToken);
        if (output.Json)
            await context.Out.WriteLineAsync(HealJson.Write(
                new Subject(source.Server, source.Directory.Path, registry), begun, context.Clock.GetUtcNow(), cases, report, baseline));
        else
            await HealText.Write(context, heal, cases, report, baseline, output);
        return ExitCode(cases, report, baseline, scrub.Strict);
    }

    private static int ExitCode(IReadOnlyList<CaseReport> cases, ScrubReport report, Baseline baseline, bool strict) =>
        cases.Any(item => item.Outcome is not (Outcome.Healed or Outcome.Transient)) ? ExitCodes.Damage : CheckCommand.ExitCode(report, baseline, strict);
}
