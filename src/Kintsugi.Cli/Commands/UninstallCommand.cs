using System.CommandLine;
using Kintsugi.Cli.Options;
using Kintsugi.Cli.Runtime;
using Kintsugi.Postgres.Repairs.Rows;

namespace Kintsugi.Cli.Commands;

/// <summary>Removes everything of ours from a patient; refuses while rows lie in quarantine that are nowhere else.</summary>
internal static class UninstallCommand
{
    public static Command Create(CliContext context)
    {
        var command = new Command("uninstall", "Remove schema kintsugi from a server's databases; refused while rows lie in quarantine.");
        var patient = new PatientOptions();
        patient.AddTo(command);
        command.SetAction(async (parsed, stop) =>
        {
            await using var clinic = await Clinic.Connect(patient.Read(parsed), null, context, stop);
            foreach (var database in clinic.Source.Databases)
                await context.Out.WriteLineAsync(await new Quarantine(clinic.Factory, clinic.Room(context.Clock), database).Uninstall(stop)
                    ? $"database {database}: schema kintsugi was removed"
                    : $"database {database}: nothing of ours is there");
            return ExitCodes.Sound;
        });
        return command;
    }
}
