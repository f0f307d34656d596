using System.CommandLine;
using Kintsugi.Cli.Options;
using Kintsugi.Cli.Output;
using Kintsugi.Cli.Runtime;

namespace Kintsugi.Cli.Commands;

/// <summary>What can be examined and repaired here, what cannot, and exactly what would change that.</summary>
internal static class DoctorCommand
{
    private static readonly string[] Wanted = ["amcheck", "pg_visibility", "pageinspect", "pg_surgery"];

    public static Command Create(CliContext context)
    {
        var command = new Command("doctor", "Say what can be examined and repaired here, and what would change that.");
        var patient = new PatientOptions();
        var output = new OutputOptions("text", "json");
        var install = new Option<bool>("--install-missing") { Description = "CREATE EXTENSION for the contrib modules that checks need" };
        patient.AddTo(command);
        output.AddTo(command);
        command.Add(install);
        command.SetAction((parsed, stop) => Run(patient.Read(parsed), output.Read(parsed), parsed.GetValue(install), context, stop));
        return command;
    }

    private static async Task<int> Run(
        PatientArguments patient, OutputArguments output, bool install, CliContext context, CancellationToken cancellationToken)
    {
        await using var clinic = await Clinic.Connect(patient, null, context, cancellationToken);
        if (install)
            await Install(clinic, context, cancellationToken);
        var reports = new List<DoctorReport>();
        foreach (var database in clinic.Source.Databases)
        {
            var opened = await clinic.Source.Open(database, cancellationToken);
            await using var session = opened.Sql;
            reports.Add(new DoctorReport(database, opened.Can,
                [.. clinic.Registry.Checks.Select(check => (check, check.Needs.LackIn(opened)))]));
        }
        var stopped = await Stopped(clinic, context, cancellationToken);
        if (output.Json)
            await context.Out.WriteLineAsync(DoctorOutput.Json(clinic, reports, stopped));
        else
            await DoctorOutput.Text(context, clinic, reports, stopped, output.Verbose);
        return reports.Any(report => report.Lacks.Any(item => item.Lack is { NotApplicable: false })) ? ExitCodes.Unchecked : ExitCodes.Sound;
    }

    /// <summary>A doctor must also work where nothing can be kept.</summary>
    private static async ValueTask<string?> Stopped(Clinic clinic, CliContext context, CancellationToken cancellationToken)
    {
        try
        {
            await using var ledger = Memory.Open(context);
            return await CircuitBreaker.State(ledger, clinic.Server.SystemIdentifier, cancellationToken);
        }
        catch (State.StateException problem)
        {
            await context.Error.WriteLineAsync($"kintsugi: warning: whether repairs are stopped is not known: {problem.Message}");
            return null;
        }
    }

    private static async ValueTask Install(Clinic clinic, CliContext context, CancellationToken cancellationToken)
    {
        foreach (var database in clinic.Source.Databases)
        {
            await using var session = await clinic.Factory.OpenWrite(database, cancellationToken);
            var missing = await session.Rows("""
                SELECT a.name::pg_catalog.text FROM pg_catalog.pg_available_extensions a
                WHERE a.installed_version IS NULL AND a.name = ANY ($1) ORDER BY 1
                """, row => row.GetString(0), cancellationToken, (object)Wanted);
            foreach (var extension in missing)
            {
                await session.Execute($"CREATE EXTENSION IF NOT EXISTS {Postgres.Sessions.Quote.Identifier(extension)} SCHEMA pg_catalog", cancellationToken);
                await context.Error.WriteLineAsync($"kintsugi: created extension {extension} in database {database}");
            }
            clinic.Source.Forget(database);
        }
    }
}

internal sealed record DoctorReport(string Database, Capabilities Can, IReadOnlyList<(ICheck Check, Lack? Lack)> Lacks);
