using System.CommandLine;
using Kintsugi.Cli.Options;
using Kintsugi.Cli.Output;
using Kintsugi.Cli.Runtime;
using Kintsugi.Postgres.Files.Checksums;
using Kintsugi.Postgres.Files.Offline;

namespace Kintsugi.Cli.Commands;

/// <summary>What pg_checksums does, and beside a running server as well: verify, status, enable, disable.</summary>
internal static class ChecksumsCommand
{
    public static Command Create(CliContext context)
    {
        var command = new Command("checksums",
            "Verify the checksum of every page of a data directory; switch checksums on or off.");
        command.Add(Verb(context, "verify", "Read every page and compare its checksum; the server may run.", Verify));
        command.Add(Verb(context, "status", "Say whether the cluster has checksums, and whether a server runs on it.", Status));
        command.Add(Verb(context, "enable",
            "Write checksums into all pages of a stopped cluster; run it again if it was interrupted.", Enable));
        command.Add(Verb(context, "disable", "Switch checksums off in a stopped cluster.", Disable));
        return command;
    }

    private sealed record Wanted(DataDirectory Directory, ChecksumSettings Settings, OutputArguments Output);

    private static Command Verb(
        CliContext context, string name, string description, Func<Wanted, CliContext, CancellationToken, Task<int>> run)
    {
        var command = new Command(name, description);
        var directory = new Option<string?>("--pgdata",
            "-D") { Description = "data directory, base backup or snapshot (default: $PGDATA)" };
        var filenode = new Option<string?>("--filenode", "-f") { Description = "only the relation with this file number" };
        var jobs = new Option<int>("--jobs", "-j") { Description = "readers at work side by side", DefaultValueFactory = _ => 1 };
        var rate = new Option<double?>("--max-rate") { Description = "read at most so many megabytes a second" };
        var output = new OutputOptions("text", "json");
        foreach (var option in new Option[] { directory, filenode, jobs, rate })
            command.Add(option);
        output.AddTo(command);
        command.SetAction(async (parsed, stop) =>
        {
            var path = parsed.GetValue(directory) ?? context.Variable("PGDATA")
                ?? throw new UsageException("name the data directory with -D, or set PGDATA");
            if (parsed.GetValue(jobs) is < 1 or > 64)
                throw new UsageException("--jobs takes a number from 1 to 64");
            var said = output.Read(parsed);
            using var progress = new BytesLine(context, said.Quiet);
            return await run(new Wanted(DataDirectory.Open(path), new ChecksumSettings
            {
                Filenode = parsed.GetValue(filenode),
                Jobs = parsed.GetValue(jobs),
                Pace = new Pace(parsed.GetValue(rate) * 1_000_000, context.Clock),
                Progress = progress,
            }, said), context, stop);
        });
        return command;
    }

    private static async Task<int> Verify(Wanted wanted, CliContext context, CancellationToken cancellationToken)
    {
        var report = await new ClusterChecksums(wanted.Directory, context.Clock).Verify(wanted.Settings, cancellationToken);
        await context.Out.WriteLineAsync(wanted.Output.Json
            ? ChecksumsOutput.Json("verify", wanted.Directory, report) : ChecksumsOutput.Text(report));
        return report.Bad.Count > 0 ? ExitCodes.Damage : report.Unreadable.Count > 0 ? ExitCodes.Damage : ExitCodes.Sound;
    }

    private static async Task<int> Status(Wanted wanted, CliContext context, CancellationToken cancellationToken)
    {
        await context.Out.WriteLineAsync(wanted.Output.Json
            ? ChecksumsOutput.Json("status", wanted.Directory, null) : ChecksumsOutput.Text(wanted.Directory));
        return ExitCodes.Sound;
    }

    private static async Task<int> Enable(Wanted wanted, CliContext context, CancellationToken cancellationToken)
    {
        var report = await new ClusterChecksums(wanted.Directory, context.Clock).Enable(wanted.Settings, cancellationToken);
        await context.Out.WriteLineAsync(wanted.Output.Json
            ? ChecksumsOutput.Json("enable", DataDirectory.Open(wanted.Directory.Path), report)
            : $"Checksums are on: {report.Blocks:N0} pages in {report.Files:N0} files read, {report.Written:N0} pages written.");
        return ExitCodes.Sound;
    }

    private static async Task<int> Disable(Wanted wanted, CliContext context, CancellationToken cancellationToken)
    {
        new ClusterChecksums(wanted.Directory, context.Clock).Disable();
        await context.Out.WriteLineAsync(wanted.Output.Json
            ? ChecksumsOutput.Json("disable", DataDirectory.Open(wanted.Directory.Path), null) : "Checksums are off.");
        return ExitCodes.Sound;
    }
}
