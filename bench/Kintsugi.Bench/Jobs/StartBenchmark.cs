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
        await Compare("--version", "pg_amcheck", "--version", 1.2, "--version");
        await Compare("connect, look once, leave (check --only activity)", "psql", "-c 'SELECT 1'", 2.0, "check -q -d postgres --only activity", "-XAtq -d postgres -c \"SELECT 1\"");

        async Task Compare(string work, string program, string shown, double limit, string ours, string? theirs = null)
        {
            if (room.Peer(program) is not { } peer)
            {
                await report.Missing(program, "its start");
                return;
            }
            var pairs = await Pairs.Of(Math.Max(9, room.PairCount),
                async () => (await room.Measure(cluster, Often(room.Kintsugi, ours), cancellationToken)).Require(0),
                async () => (await room.Measure(cluster, Often(peer, theirs ?? shown), cancellationToken)).Require(0));
            await report.Add(new Line($"{work}, {Times} times", $"{program} {shown}", "G14", limit, pairs, new Gate(true, "both succeed each time")));
        }
    }

    private static string[] Often(string program, string arguments) =>
        ["sh", "-ec", $"for i in {string.Join(' ', Enumerable.Range(1, Times))}; do \"$1\" {arguments} >/dev/null; done", "sh", program];
}
