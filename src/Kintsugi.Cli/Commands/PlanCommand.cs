using System.CommandLine;
using Kintsugi.Cli.Options;
using Kintsugi.Cli.Output;
using Kintsugi.Cli.Runtime;
using Kintsugi.Postgres;

namespace Kintsugi.Cli.Commands;

/// <summary>Checks, then prints what heal would do. Changes nothing.</summary>
internal static class PlanCommand
{
    public static Command Create(CliContext context)
    {
        var command = new Command("plan", "Check, then print what heal would do; change nothing.");
        var patient = new PatientOptions();
        var scrub = new ScrubOptions();
        var output = new OutputOptions("text", "json");
        var file = new Option<string?>("--out") { Description = "write the plan to this file, for heal --plan" };
        patient.AddTo(command);
        scrub.AddTo(command);
        output.AddTo(command);
        command.Add(file);
        command.SetAction((parsed, stop) =>
            Run(patient.Read(parsed), scrub.Read(parsed), output.Read(parsed), parsed.GetValue(file), context, stop));
        return command;
    }

    public static async Task<int> Run(
        PatientArguments patient, ScrubArguments scrub, OutputArguments output, string? file, CliContext context, CancellationToken cancellationToken)
    {
        if (await StoppedPatient.Find(patient, scrub.MaxRate, context, cancellationToken) is { } stopped)
        {
            var registry = PostgresRegistry.Stopped();
            var seen = await Scrubbing.Run(stopped, registry, scrub, output, context, cancellationToken);
            var known = await Memory.Keep(stopped.Server, seen, context, cancellationToken);
            return await Show(new Subject(stopped.Server, stopped.Directory.Path, registry), stopped, seen, known, scrub, output, file, context, cancellationToken);
        }
        await using var clinic = await Clinic.Connect(patient, scrub.MaxRate, context, cancellationToken);
        var report = await Scrubbing.Run(clinic, scrub, output, context, cancellationToken);
        var baseline = await Memory.Keep(clinic, report, context, cancellationToken);
        return await Show(clinic.Subject, clinic.Source, report, baseline, scrub, output, file, context, cancellationToken);
    }

    private static async Task<int> Show(
        Subject subject, IPatientSource source, ScrubReport report, Baseline baseline, ScrubArguments scrub, OutputArguments output, string? file,
        CliContext context, CancellationToken cancellationToken)
    {
        var planner = new Planner(subject.Registry, source);
        var prospects = new List<Prospect>();
        foreach (var healing in Diagnosis.Cases(report.Findings).Where(healing => !baseline.Covers(healing)))
            prospects.Add(await planner.Propose(healing, cancellationToken));
        var document = PlanOutput.Json(subject, report, prospects);
        if (file is not null)
            await Write(file, document, cancellationToken);
        if (output.Json)
            await context.Out.WriteLineAsync(document);
        else
            await PlanOutput.Text(context, prospects, file);
        return CheckCommand.ExitCode(report, baseline, scrub.Strict);
    }

    private static async ValueTask Write(string file, string document, CancellationToken cancellationToken)
    {
        try
        {
            await File.WriteAllTextAsync(file, document, cancellationToken);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"the plan cannot be written to {file}: {problem.Message}");
        }
    }
}
