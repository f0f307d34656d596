using System.CommandLine;
using Kintsugi.Cli.Runtime;

namespace Kintsugi.Cli.Commands;

/// <summary>Every command, in the order of the help text.</summary>
internal static class AllCommands
{
    public static IReadOnlyList<Command> Create(CliContext context) =>
    [
        DemoCommand.Create(context),
        CheckCommand.Create(context),
        PlanCommand.Create(context),
        HealCommand.Create(context),
        CasesCommand.Create(context),
        UndoCommand.Create(context),
        BreakerCommand.Create(context),
        SnapshotsCommand.Create(context),
        ChecksumsCommand.Create(context),
        QuarantineCommand.Create(context),
        DoctorCommand.Create(context),
        ServeCommand.Create(),
        JobsCommand.Create(context),
        PauseCommand.Create(context),
        PauseCommand.CreateResume(context),
        ServeCommand.Alerts(),
        ConfigCommand.Create(context),
        UninstallCommand.Create(context),
        PageCommand.Create(context),
        CompletionCommand.Create(context),
    ];
}
