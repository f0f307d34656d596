using System.CommandLine;
using Kintsugi.Cli.Options;
using Kintsugi.Cli.Output;
using Kintsugi.Cli.Runtime;
using Kintsugi.Postgres;

namespace Kintsugi.Cli.Commands;

/// <summary>Examines; changes nothing.</summary>
internal static class CheckCommand
{
    public static Command Create(CliContext context)
    {
        var command = new Command("check", "Examine a server; change nothing.");
        var patient = new PatientOptions();
        var scrub = new ScrubOptions();
        var output = new OutputOptions("text", "json", "nagios");
        var resume = new Option<bool>("--resume") { Description = "go on with the check of the same options that was interrupted or ran out of time" };
        var incremental = new Option<bool>("--incremental") { Description = "read all files, but leave out the tables whose pages are as they were proven" };
        patient.AddTo(command);
        scrub.AddTo(command);
        command.Add(resume);
        command.Add(incremental);
        output.AddTo(command);
        command.SetAction((parsed, stop) =>
        {
            context.StandBack();
            Task<int> Run()
            {
                var asked = scrub.Read(parsed);
                var settings = asked.Settings with { Incremental = parsed.GetValue(incremental) };
                return Examine(patient.Read(parsed), asked with { Resume = parsed.GetValue(resume), Resumable = true, Settings = settings },
                    output.Read(parsed), context, stop);
            }
            return output.FormatOf(parsed) == "nagios" ? Nagios.Guard(context, Run) : Run();
        });
        return command;
    }

    private static async Task<int> Examine(
        PatientArguments patient, ScrubArguments scrub, OutputArguments output, CliContext context,
        CancellationToken cancellationToken)
    {
        if (await StoppedPatient.Find(patient, scrub.MaxRate, context, cancellationToken) is { } stopped)
        {
            var registry = PostgresRegistry.Create();
            var found = await Scrubbing.Run(stopped, registry, scrub, output, context, cancellationToken);
            var known = await Memory.Keep(stopped.Server, found, context, cancellationToken);
            return await Print(stopped.Server, stopped.Directory.Path, registry, found, known, scrub, output, context);
        }
        try
        {
            return await ExamineServer(patient, scrub, output, context, cancellationToken);
        }
        catch (PatientException refusal) when (!cancellationToken.IsCancellationRequested)
        {
            if (await LockedOut.Examine(refusal, patient, scrub, output, context, cancellationToken) is not var (source, seen))
                throw;
            var known = await Memory.Keep(source.Server, seen, context, cancellationToken);
            return await Print(source.Server, source.Directory.Path, PostgresRegistry.Create(), seen, known, scrub, output, context);
        }
    }

    private static async Task<int> ExamineServer(
        PatientArguments patient, ScrubArguments scrub, OutputArguments output, CliContext context, CancellationToken cancellationToken)
    {
        await using var clinic = await Clinic.Connect(patient with { LooksAtOnce = true }, scrub.MaxRate, context, cancellationToken);
        var report = await Scrubbing.Run(clinic, scrub, output, context, cancellationToken);
        var baseline = await Memory.Keep(clinic, report, context, cancellationToken);
        return await Print(clinic.Server, clinic.Settings.ToString(), clinic.Registry, report, baseline, scrub, output, context);
    }

    private static async Task<int> Print(
        Capabilities server, string name, Registry registry, ScrubReport report, Baseline baseline, ScrubArguments scrub,
        OutputArguments output, CliContext context)
    {
        switch (output.Format)
        {
            case "json":
                await CheckJson.Write(context.Out, server, name, report, registry, baseline);
                break;
            case "nagios":
                return await Nagios.Write(context, report, baseline, scrub.Strict);
            default:
                await CheckText.Write(context, server, name, report, baseline, output.Quiet, output.Verbose);
                break;
        }
        return ExitCode(report, baseline, scrub.Strict);
    }

    public static int ExitCode(ScrubReport report, Baseline baseline, bool strict) =>
        baseline.Leaves(report.Findings).Any(finding => strict || !finding.Fault.Advice) ? ExitCodes.Damage
        : report.Count<Verdict.Unchecked>() > 0 || report.TimeLimitReached ? ExitCodes.Unchecked
        : ExitCodes.Sound;
}
