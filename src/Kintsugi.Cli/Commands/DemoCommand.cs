using System.CommandLine;
using Kintsugi.Cli.Demo;
using Kintsugi.Cli.Runtime;
using Kintsugi.Lab;
using Kintsugi.Lab.Damage;

namespace Kintsugi.Cli.Commands;

/// <summary>The main job on a real PostgreSQL: a sample database is injured, examined, healed, and every row is compared.</summary>
internal static class DemoCommand
{
    public static Command Create(CliContext context)
    {
        var command = new Command("demo", "Injure a sample database on a real, throwaway PostgreSQL; find, heal and prove it.");
        var major = new Option<int?>("--pg") { Description = "the PostgreSQL major version, 13 to 18 (default: what is installed, else 18)" };
        var binaries = new Option<string?>("--pg-bin") { Description = "a directory with initdb, pg_ctl and postgres" };
        var keep = new Option<bool>("--keep") { Description = "leave the healed server running and say how to connect" };
        var only = new Option<string[]>("--only") { Description = "only this injury; repeats" };
        var list = new Option<bool>("--list") { Description = "list the injuries that the lab knows" };
        foreach (var option in new Option[] { major, binaries, keep, only, list })
            command.Add(option);
        command.SetAction((parsed, stop) => parsed.GetValue(list)
            ? List(context)
            : new Demonstration(context, parsed.GetValue(keep)).Run(
                parsed.GetValue(major), parsed.GetValue(binaries), Chosen(parsed.GetValue(only) ?? []), stop));
        return command;
    }

    private static IReadOnlyList<Injury> Chosen(string[] names) =>
        [.. (names.Length > 0 ? names : DemoInjuries.Names).Select(Injuries.Named)];

    private static async Task<int> List(CliContext context)
    {
        foreach (var injury in Injuries.All)
            await context.Out.WriteLineAsync($"{(DemoInjuries.Names.Contains(injury.Name) ? "*" : " ")} {injury.Name,-28} {injury.Fault.Id,-24} "
                + $"{injury.Target,-40} {injury.Accident}");
        await context.Out.WriteLineAsync("\n* shown by kintsugi demo without --only; the others by --only NAME");
        return ExitCodes.Sound;
    }
}
