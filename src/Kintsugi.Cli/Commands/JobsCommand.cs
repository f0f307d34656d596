using System.CommandLine;
using Kintsugi.Cli.Options;
using Kintsugi.Cli.Output;
using Kintsugi.Cli.Runtime;
using Kintsugi.State;

namespace Kintsugi.Cli.Commands;

/// <summary>The jobs of the service, through the books that it keeps in the state directory.</summary>
internal static class JobsCommand
{
    public static Command Create(CliContext context)
    {
        var command = new Command("jobs", "List the service's jobs and runs; run, pause, resume, cancel one.");
        var output = new OutputOptions("text", "json");
        output.AddTo(command);
        BooksOption.AddTo(command);
        command.SetAction((parsed, _) => List(output.Read(parsed), context));
        command.Add(Listing(context));
        command.Add(Running(context));
        command.Add(Pausing(context));
        command.Add(Resuming(context));
        command.Add(Cancelling(context));
        return command;
    }

    private static Command Listing(CliContext context)
    {
        var list = new Command("list", "List what is scheduled, what is paused and the newest runs.");
        var output = new OutputOptions("text", "json");
        output.AddTo(list);
        list.SetAction((parsed, _) => List(output.Read(parsed), context));
        return list;
    }

    private static async Task<int> List(OutputArguments output, CliContext context)
    {
        using var store = ServiceDesk.Open(context);
        var book = new ServiceBook(store);
        var listing = new JobsListing(ServiceDesk.IsServed(store, context), ServiceDesk.Nodes(store, context), book.Planned(), book.Standing(context.Clock.GetUtcNow()), book.Runs(output.Verbose ? 200 : 15));
        if (output.Json)
            await context.Out.WriteLineAsync(JobsOutput.Json(listing));
        else
            await JobsOutput.Text(context, listing);
        return ExitCodes.Sound;
    }

    private static Command Running(CliContext context)
    {
        var command = new Command("run", "Run a job now: kintsugi jobs run db.index_check public.movies, kintsugi jobs run db.repair CASE.");
        Ask(command, "run", context);
        return command;
    }

    private static Command Cancelling(CliContext context)
    {
        var command = new Command("cancel", "Cancel a job that runs; a repair removes what its step left behind.");
        Ask(command, "cancel", context);
        return command;
    }

    private static void Ask(Command command, string verb, CliContext context)
    {
        var job = Job();
        var argument = new Argument<string?>("argument") { Description = "a table for db.index_check, a case for db.repair", Arity = ArgumentArity.ZeroOrOne };
        var target = new Option<string?>("--target") { Description = "one target; without it every one" };
        command.Add(job);
        command.Add(argument);
        command.Add(target);
        command.SetAction(async (parsed, stop) =>
        {
            var name = ServiceDesk.Known(parsed.GetValue(job)!);
            var about = parsed.GetValue(argument);
            if (name == ServiceDesk.Repair)
                about = await Case(about, context, stop);
            using var store = ServiceDesk.Open(context);
            var book = new ServiceBook(store);
            if (name == ServiceDesk.Repair && verb == "run" && book.Standing(ServiceDesk.Repairs, context.Clock.GetUtcNow()) is { } pause)
                throw new UsageException($"repairs are paused {PauseCommand.Until(pause)}, by {pause.By}: {pause.Because}; kintsugi resume lets them go on");
            book.Ask(new JobRequest(
                verb, name, parsed.GetValue(target), about, context.Around.OperatingSystemUser ?? "unknown", context.Clock.GetUtcNow()));
            await ServiceDesk.WarnWhenNotServed(store, context);
            await context.Out.WriteLineAsync($"{name}: asked to {verb}; kintsugi jobs shows what became of it");
            return ExitCodes.Sound;
        });
    }

    private static async ValueTask<string> Case(string? id, CliContext context, CancellationToken cancellationToken)
    {
        if (id is null)
            throw new UsageException($"{ServiceDesk.Repair} needs a case; kintsugi cases lists them");
        await using var ledger = Memory.Open(context);
        return (await CaseWords.Find(ledger, id, cancellationToken)).Row.Id;
    }

    private static Command Pausing(CliContext context)
    {
        var command = new Command("pause", "Pause one job on every target until it is resumed.");
        var job = Job();
        var options = new PauseOptions(required: false);
        command.Add(job);
        options.AddTo(command);
        command.SetAction((parsed, _) => PauseCommand.Pause(ServiceDesk.SwitchOf(ServiceDesk.Known(parsed.GetValue(job)!)), options, parsed, context));
        return command;
    }

    private static Command Resuming(CliContext context)
    {
        var command = new Command("resume", "Resume a job that was paused.");
        var job = Job();
        command.Add(job);
        command.SetAction((parsed, _) => PauseCommand.Resume(ServiceDesk.SwitchOf(ServiceDesk.Known(parsed.GetValue(job)!)), context));
        return command;
    }

    private static Argument<string> Job() => new("job") { Description = string.Join(", ", ServiceDesk.Jobs) };
}
