using System.CommandLine;
using Kintsugi.Cli.Options;
using Kintsugi.Cli.Output;
using Kintsugi.Cli.Runtime;

namespace Kintsugi.Cli.Commands;

/// <summary>The ledger's cases: list, show, and what a person says of them.</summary>
internal static class CasesCommand
{
    public static Command Create(CliContext context)
    {
        var command = new Command("cases", "List cases, show every fact of one, approve, reject, retry, accept.");
        var output = new OutputOptions("text", "json");
        output.AddTo(command);
        BooksOption.AddTo(command);
        command.SetAction((parsed, stop) => List(output.Read(parsed), context, stop));
        command.Add(Listing(context));
        command.Add(Showing(context));
        command.Add(CaseWords.Approve(context));
        command.Add(CaseWords.Reject(context));
        command.Add(CaseWords.Retry(context));
        command.Add(CaseWords.Accept(context));
        command.Add(CaseWords.Acknowledge(context));
        command.Add(BundleCommand.Create(context));
        return command;
    }

    private static Command Listing(CliContext context)
    {
        var list = new Command("list", "List every case, the newest change first.");
        var output = new OutputOptions("text", "json");
        output.AddTo(list);
        list.SetAction((parsed, stop) => List(output.Read(parsed), context, stop));
        return list;
    }

    private static Command Showing(CliContext context)
    {
        var show = new Command("show", "Show every fact of a case's life, in order.");
        var id = CaseWords.Id();
        var output = new OutputOptions("text", "json");
        show.Add(id);
        output.AddTo(show);
        show.SetAction((parsed, stop) => Show(parsed.GetValue(id)!, output.Read(parsed), context, stop));
        return show;
    }

    private static async Task<int> List(OutputArguments output, CliContext context, CancellationToken cancellationToken)
    {
        await using var ledger = Memory.Open(context);
        var rows = (await ledger.Cases(null, cancellationToken)).OrderByDescending(row => row.LastChanged).ToList();
        if (output.Json)
            await context.Out.WriteLineAsync(CasesOutput.Json(rows));
        else
        {
            foreach (var (server, why) in await BreakerCommand.Stopped(ledger, cancellationToken))
                await context.Out.WriteLineAsync($"server {server}: {Text.Paint(why, Text.Red, context.Colour)}");
            await CasesOutput.Text(context, rows, ledger.Place);
        }
        return ExitCodes.Sound;
    }

    private static async Task<int> Show(string id, OutputArguments output, CliContext context, CancellationToken cancellationToken)
    {
        await using var ledger = Memory.Open(context);
        var (row, facts) = await CaseWords.Find(ledger, id, cancellationToken);
        if (output.Json)
            await context.Out.WriteLineAsync(CasesOutput.Json(row, facts));
        else
            await CasesOutput.Text(context, row, facts, output.Verbose);
        return ExitCodes.Sound;
    }
}
