using System.CommandLine;
using Kintsugi.Cli.Options;
using Kintsugi.Cli.Runtime;

namespace Kintsugi.Cli.Commands;

/// <summary>What stopped every repair of a server, and the word of a person that takes it back.</summary>
internal static class BreakerCommand
{
    public static Command Create(CliContext context)
    {
        var command = new Command("breaker", "Say whether repairs are stopped because the hardware is suspected, and take that back.");
        BooksOption.AddTo(command);
        command.SetAction((_, stop) => List(context, stop));
        var reset = new Command("reset", "Allow repairs again, when the cause was found.");
        var because = new Option<string>("--because") { Description = "what the cause was", Required = true };
        var who = new Option<string?>("--as") { Description = "who says so (default: the operating system's user)" };
        var server = new Option<string?>("--server") { Description = "the system identifier, where repairs of several servers are stopped" };
        reset.Add(because);
        reset.Add(who);
        reset.Add(server);
        reset.SetAction((parsed, stop) => Reset(
            parsed.GetValue(because)!, parsed.GetValue(who) ?? context.Around.OperatingSystemUser, parsed.GetValue(server), context, stop));
        command.Add(reset);
        return command;
    }

    /// <summary>Servers whose repairs are stopped, with the reason: those that have cases.</summary>
    public static async ValueTask<IReadOnlyList<(string Server, string Why)>> Stopped(State.StoredLedger ledger, CancellationToken cancellationToken)
    {
        var stopped = new List<(string, string)>();
        foreach (var server in await ledger.Servers(CircuitBreaker.Scope, cancellationToken))
            if (await CircuitBreaker.State(ledger, server, cancellationToken) is { } why)
                stopped.Add((server, why));
        return stopped;
    }

    private static async Task<int> List(CliContext context, CancellationToken cancellationToken)
    {
        await using var ledger = Memory.Open(context);
        var stopped = await Stopped(ledger, cancellationToken);
        foreach (var (server, why) in stopped)
            await context.Out.WriteLineAsync($"server {server}: {why}");
        if (stopped.Count == 0)
            await context.Out.WriteLineAsync("repairs are not stopped on any server");
        return stopped.Count == 0 ? ExitCodes.Sound : ExitCodes.Damage;
    }

    private static async Task<int> Reset(string because, string person, string? server, CliContext context, CancellationToken cancellationToken)
    {
        await using var ledger = Memory.Open(context);
        var stopped = (await Stopped(ledger, cancellationToken)).Where(item => server is null || item.Server == server).ToList();
        if (stopped.Count == 0)
            throw new UsageException(server is null ? "repairs are not stopped on any server" : $"repairs are not stopped on server {server}");
        if (stopped.Count > 1)
            throw new UsageException($"repairs are stopped on {stopped.Count} servers: name one with --server ({string.Join(", ", stopped.Select(item => item.Server))})");
        await CircuitBreaker.TakeBack(ledger, stopped[0].Server, person, because, context.Clock.GetUtcNow(), cancellationToken);
        await context.Out.WriteLineAsync($"server {stopped[0].Server}: repairs are allowed again, by {person}: {because}");
        return ExitCodes.Sound;
    }
}
