using Kintsugi.Bench.Measuring;
using Kintsugi.Bench.Reporting;

namespace Kintsugi.Bench.Jobs;

/// <summary>What a person waits for before anything happens.</summary>
internal sealed class StartBenchmark : IBenchmark
{
    private const int Times = 10;

    public string Name => "start";
    public string What => $"Starting the program, {Times} times in a row by a shell.";

    public async Task Run(Room room, Report report, CancellationToken cancellationToken)
    {
        var cluster = await room.Cluster(cancellationToken);
        await report.Note($"Our program is {new FileInfo(room.Kintsugi).Length >> 20} MiB, {(room.IsNative ? "native" : "**not native: it was not published ahead of time here**")}.");
        var said = (await room.Measure(cluster, [room.Kintsugi, "--version"], cancellationToken)).Require(0);
        var version = new Gate(said.Output.Trim() is { Length: > 0 } line && line.Any(char.IsDigit), $"both succeed each time; ours says {said.Output.Trim()}");
        var looked = (await room.Ours(cluster, cancellationToken, "check", "-q", "-d", "postgres", "--only", "activity", "--format", "json")).Require(0);
        var sound = Gate.Equal("sound", Said.Verdicts(looked, "sound"), 1) & Gate.Equal("unchecked", Said.Verdicts(looked, "unchecked"), 0);
        await Compare("--version", "pg_amcheck", "--version", 1.2, version, "--version");
        await Compare("connect, look once, leave (check --only activity)", "psql", "-c 'SELECT 1'", 2.0, sound, "check -q -d postgres --only activity", "-XAtq -d postgres -c \"SELECT 1\"");

        async Task Compare(string work, string program, string shown, double limit, Gate gate, string ours, string? theirs = null)
        {
            if (room.Peer(program) is not { } peer)
            {
                await report.Missing(program, "its start");
                return;
            }
            var pairs = await Pairs.Of(
                async () => (await room.Measure(cluster, Often(room.Kintsugi, ours), cancellationToken)).Require(0),
                async () => (await room.Measure(cluster, Often(peer, theirs ?? shown), cancellationToken)).Require(0), count: 9);
            await report.Add(new Line($"{work}, {Times} times", $"{program} {shown}", "G14", limit, pairs, gate));
        }
    }

    private static string[] Often(string program, string arguments) =>
        ["sh", "-ec", $"for i in {string.Join(' ', Enumerable.Range(1, Times))}; do \"$1\" {arguments} >/dev/null; done", "sh", program];
}
