using System.CommandLine;
using Kintsugi.Cli.Options;
using Kintsugi.Cli.Runtime;
using Kintsugi.State;

namespace Kintsugi.Cli.Commands;

/// <summary>Stops all repairs of the service, visibly, and lets them go on.</summary>
internal static class PauseCommand
{
    public static Command Create(CliContext context)
    {
        var command = new Command("pause", "Stop all repairs of the service: kintsugi pause --for 2h --because \"restoring a backup\".");
        var options = new PauseOptions(required: true);
        options.AddTo(command);
        BooksOption.AddTo(command);
        command.SetAction((parsed, _) => Pause(ServiceDesk.Repairs, options, parsed, context));
        return command;
    }

    public static Command CreateResume(CliContext context)
    {
        var command = new Command("resume", "Let the service repair again.");
        BooksOption.AddTo(command);
        command.SetAction((_, _) => Resume(ServiceDesk.Repairs, context));
        return command;
    }

    public static async Task<int> Pause(string name, PauseOptions options, ParseResult parsed, CliContext context)
    {
        var now = context.Clock.GetUtcNow();
        var pause = options.Read(parsed, name, context.Around.OperatingSystemUser ?? "unknown", now);
        using var store = ServiceDesk.Open(context);
        new ServiceBook(store).Set(pause, now);
        await ServiceDesk.WarnWhenNotServed(store, context);
        await context.Out.WriteLineAsync($"{name}: paused {Until(pause)}: {pause.Because}");
        return ExitCodes.Sound;
    }

    public static async Task<int> Resume(string name, CliContext context)
    {
        using var store = ServiceDesk.Open(context);
        await context.Out.WriteLineAsync(new ServiceBook(store).Clear(name) ? $"{name}: goes on" : $"{name}: was not paused");
        return ExitCodes.Sound;
    }

    public static string Until(Switch pause) =>
        pause.Until is { } until ? $"until {until.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC" : "until it is resumed";
}

/// <summary>For how long, and why.</summary>
internal sealed class PauseOptions(bool required)
{
    private readonly Option<string?> span = new("--for") { Description = "how long (30m, 2h, 1d); without it until it is resumed" };
    private readonly Option<string?> because = new("--because") { Description = "why: shown wherever the pause is shown", Required = required };

    public void AddTo(Command command)
    {
        command.Add(span);
        command.Add(because);
    }

    public Switch Read(ParseResult parsed, string name, string by, DateTimeOffset now) => new(
        name, parsed.GetValue(span) is { } text ? now + Duration.Parse(text, "--for") : null, parsed.GetValue(because) ?? "no reason was given", by);
}
