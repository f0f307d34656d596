using System.CommandLine;
using Kintsugi.Cli.Runtime;
using Kintsugi.State;

namespace Kintsugi.Cli.Commands;

/// <summary>What a person says about a case: each is a fact in the ledger, with who said it and why.</summary>
internal static class CaseWords
{
    public static Argument<string> Id() => new("id") { Description = "the case, or the beginning of its id" };

    public static Command Approve(CliContext context) => Word(
        context, "approve", "Approve the newest plan of a case: heal runs exactly that plan.", Facts.Approved,
        history => history.ReadPlan() is { } plan
            ? [("plan", plan.Hash)]
            : throw new UsageException("this case has no plan to approve; run kintsugi plan or heal first"));

    public static Command Reject(CliContext context) => Word(
        context, "reject", "Reject a case: nothing is done about it.", Facts.Rejected, _ => []);

    public static Command Retry(CliContext context) => Word(
        context, "retry", "Allow a case new attempts.", Facts.Retried, _ => []);

    public static Command Acknowledge(CliContext context)
    {
        var command = Word(
            context, "acknowledge", "Say that a case was seen: the service may then repair findings of its first scrub.", Facts.Acknowledged, _ => []);
        command.Add(AcknowledgeAll(context));
        return command;
    }

    private static Command AcknowledgeAll(CliContext context)
    {
        var command = new Command("all", "Acknowledge every case that is open now.");
        var why = new Option<string?>("--because") { Description = "why" };
        command.Add(why);
        command.SetAction(async (parsed, stop) =>
        {
            await using var ledger = Memory.Open(context);
            var (person, because) = (context.Around.OperatingSystemUser, parsed.GetValue(why));
            var open = (await ledger.Cases(null, stop)).Where(row => row.State is "open" or "confirmed" or "waiting" or "escalated").ToList();
            foreach (var row in open)
                await ledger.Append(new Fact(row.Id, row.Server, Facts.Acknowledged, $"acknowledged by {person}{(because is null ? "" : $": {because}")}",
                    Facts.Data(("by", person), ("because", because)), context.Clock.GetUtcNow()), stop);
            await context.Out.WriteLineAsync($"{open.Count} cases: acknowledged by {person}");
            return ExitCodes.Sound;
        });
        return command;
    }

    public static Command Accept(CliContext context)
    {
        var until = new Option<string?>("--until") { Description = "accepted until this time (2026-12-31); without it for good" };
        var command = Word(context, "accept", "Accept a case as it is: no repair, no alert.", Facts.Accepted, _ => [], until);
        return command;
    }

    /// <exception cref="UsageException">No such case, or more than one.</exception>
    public static async ValueTask<(CaseRow Row, IReadOnlyList<Fact> Facts)> Find(
        StoredLedger ledger, string id, CancellationToken cancellationToken)
    {
        var rows = (await ledger.Cases(null, cancellationToken)).Where(row => row.Id.StartsWith(id, StringComparison.Ordinal)).ToList();
        return rows.Count switch
        {
            0 => throw new UsageException($"there is no case {id}; kintsugi cases lists them"),
            1 => (rows[0], await ledger.FactsOf(rows[0].Id, cancellationToken)),
            _ => throw new UsageException($"{rows.Count} cases begin with {id}: {string.Join(", ", rows.Select(row => row.Id))}"),
        };
    }

    private static Command Word(
        CliContext context, string name, string description, string kind, Func<CaseHistory, (string Name, string? Value)[]> data,
        Option<string?>? until = null)
    {
        var command = new Command(name, description);
        var id = Id();
        var who = new Option<string?>("--as") { Description = "who says so (default: the operating system's user)" };
        var why = new Option<string?>("--because") { Description = "why", Required = kind == Facts.Accepted };
        command.Add(id);
        command.Add(who);
        command.Add(why);
        if (until is not null)
            command.Add(until);
        command.SetAction(async (parsed, stop) =>
        {
            await using var ledger = Memory.Open(context);
            var (row, facts) = await Find(ledger, parsed.GetValue(id)!, stop);
            var person = parsed.GetValue(who) ?? context.Around.OperatingSystemUser;
            (string, string?)[] said = [("by", person), ("because", parsed.GetValue(why)), ("until", Until(until, parsed))];
            await ledger.Append(new Fact(row.Id, row.Server, kind, $"{kind} by {person}{(parsed.GetValue(why) is { } reason ? $": {reason}" : "")}",
                Facts.Data([.. said, .. data(new CaseHistory(facts))]), context.Clock.GetUtcNow()), stop);
            await context.Out.WriteLineAsync($"case {row.Id} ({row.Object}, {row.Fault}): {kind} by {person}");
            return ExitCodes.Sound;
        });
        return command;
    }

    private static string? Until(Option<string?>? option, ParseResult parsed) =>
        option is null || parsed.GetValue(option) is not { } text ? null
        : DateTimeOffset.TryParse(text, null, System.Globalization.DateTimeStyles.AssumeUniversal, out var time) ? time.ToString("O")
        : throw new UsageException($"--until takes a date such as 2026-12-31, not \"{text}\"");
}
