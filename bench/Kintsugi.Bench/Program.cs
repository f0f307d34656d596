using System.Diagnostics;
using System.Runtime.InteropServices;
using Kintsugi.Bench;
using Kintsugi.Bench.Jobs;
using Kintsugi.Bench.Reporting;
using Kintsugi.Lab;

// kintsugi-bench FOLDER PROGRAM [NAME…] [--quick] [--pg MAJOR]: bench/run starts it.
IBenchmark[] all =
[
    new StartBenchmark(), new ChecksumsBenchmark(), new AmcheckBenchmark(), new RecheckBenchmark(), new QuiescedBenchmark(), new ForeignKeysBenchmark(),
    new QuarantineBenchmark(), new JsonBenchmark(), new SnapshotBenchmark(),
    new HealBenchmark(), new KindnessBenchmark(), new ScaleBenchmark(), new MemoryBenchmark(),
];
var names = args.Skip(2).Where((argument, at) => !argument.StartsWith('-') && args[at + 1] != "--pg").ToList();
var unknown = names.Except(all.Select(one => one.Name)).Concat(args.Skip(2).Where(argument => argument.StartsWith('-') && argument is not ("--quick" or "--pg" or "--help"))).ToList();
if (args.Length < 2 || unknown.Count > 0 || args.Contains("--help"))
{
    await Console.Error.WriteLineAsync($"bench/run [NAME…] [--quick] [--pg MAJOR]; names: {string.Join(' ', all.Select(one => one.Name))}"
        + (unknown.Count > 0 ? $"\nunknown: {string.Join(' ', unknown)}" : ""));
    return 1;
}
using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) => (pressed.Cancel, _) = (true, interrupted.CancelAsync());
var report = new Report(Console.Out);
try
{
    var major = Array.IndexOf(args, "--pg") is > 0 and var at ? int.Parse(args[at + 1]) : (int?)null;
    var binaries = await PostgresBinaries.Find(major, null, interrupted.Token);
    await using var laboratory = await Laboratory.Open(interrupted.Token);
    var room = new Room(laboratory, binaries, args[0], args[1], args.Contains("--quick"));
    var results = new ResultsFile(Path.Combine(room.Folder, "RESULTS.md"), [.. all.Select(one => one.Name)]);
    foreach (var benchmark in all.Where(one => names.Count == 0 || names.Contains(one.Name)))
    {
        var begun = Stopwatch.GetTimestamp();
        await report.Begin(benchmark.Name, benchmark.What);
        await benchmark.Run(room, report, interrupted.Token);
        await report.Note($"{Machine.Describe(binaries, room.Quick)} It took {Stopwatch.GetElapsedTime(begun).TotalMinutes:0.0} minutes.");
        await results.Put(benchmark.Name, report.Section, interrupted.Token);
    }
}
catch (Exception problem) when (problem is BenchException or LabException)
{
    await Console.Error.WriteLineAsync($"bench: {problem.Message}");
    return 1;
}
if (report.Figures == 0)
{
    await Console.Error.WriteLineAsync("bench: nothing was compared: no peer program was found; install PostgreSQL's own packages (pg_amcheck, pg_checksums, pg_basebackup, psql)");
    return 1;
}
return report.Green ? 0 : 2;
