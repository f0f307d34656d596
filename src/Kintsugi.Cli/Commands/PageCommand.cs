using System.CommandLine;
using Kintsugi.Cli.Options;
using Kintsugi.Cli.Output;
using Kintsugi.Cli.Runtime;
using Kintsugi.Pages.Description;

namespace Kintsugi.Cli.Commands;

/// <summary>Takes one page apart as it is on disk: of a relation, through its server, or of any file.</summary>
internal static class PageCommand
{
    public static Command Create(CliContext context)
    {
        var command = new Command("page", "Take one page apart: header, line pointers, items, and what is wrong with it.");
        var place = new Argument<string>("relation") { Description = "table, index or sequence (schema.name); with --file a path" };
        var block = new Argument<long>("block") { Description = "block number, from 0" };
        var file = new Option<bool>("--file") { Description = "the first argument is a file; its segment number counts" };
        var fork = new Option<string>("--fork") { Description = "main, fsm, vm or init", DefaultValueFactory = _ => "main" };
        var hex = new Option<bool>("--hex") { Description = "also every byte" };
        fork.AcceptOnlyFromAmong([.. PageFetch.Forks]);
        var patient = new PatientOptions();
        var output = new OutputOptions("text", "json", "html");
        command.Add(place);
        command.Add(block);
        foreach (var option in new Option[] { file, fork, hex })
            command.Add(option);
        patient.AddTo(command, positional: false);
        output.AddTo(command);
        command.SetAction(async (parsed, stop) =>
        {
            var asked = new Asked(parsed.GetValue(place)!, parsed.GetValue(block), PageFetch.ForkNumber(parsed.GetValue(fork)!));
            if (asked.Block is < 0 or > uint.MaxValue - 1)
                throw new UsageException($"a block number lies between 0 and {uint.MaxValue - 1}");
            var page = parsed.GetValue(file)
                ? await PageFetch.OfFile(asked.Place, asked.Block, asked.Fork, stop)
                : await OfRelation(patient.Read(parsed), asked, context, stop);
            return await Show(page, parsed.GetValue(hex), output.Read(parsed), context);
        });
        return command;
    }

    private sealed record Asked(string Place, long Block, int Fork);

    private static async Task<FetchedPage> OfRelation(
        PatientArguments patient, Asked asked, CliContext context, CancellationToken cancellationToken)
    {
        await using var clinic = await Clinic.Connect(patient, null, context, cancellationToken);
        var opened = await clinic.Source.Open(clinic.Source.Databases[0], cancellationToken);
        await using var session = opened.Sql;
        var pattern = NamePattern.Parse(asked.Place, mayHaveSchema: true);
        var found = opened.Relations.Relations.Where(relation => relation.HasStorage && pattern.Matches(relation.Schema, relation.Name)).ToList();
        return found.Count switch
        {
            1 => await PageFetch.OfRelation(found[0], asked.Block, asked.Fork, opened, cancellationToken),
            0 => throw new UsageException($"no table, index or sequence with storage is called {asked.Place}"),
            _ => throw new UsageException($"{found.Count} relations are called {asked.Place}: "
                + string.Join(", ", found.Take(5).Select(relation => $"{relation.Schema}.{relation.Name}"))),
        };
    }

    private static async Task<int> Show(FetchedPage page, bool hex, OutputArguments output, CliContext context)
    {
        var description = PageDescriber.Describe(page.Bytes, page.Subject);
        if (output.Json)
            await context.Out.WriteLineAsync(PageOutput.Json(page, description, hex));
        else if (output.Format == "html")
            await context.Out.WriteLineAsync(PageHtml.Of(page, description, hex));
        else
            await PageOutput.Text(context, page, description, hex);
        return description.Flaws.Count == 0 ? ExitCodes.Sound : ExitCodes.Damage;
    }
}
