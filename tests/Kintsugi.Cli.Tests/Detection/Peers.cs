using Kintsugi.Lab;

namespace Kintsugi.Cli.Tests.Detection;

/// <summary>What a tool said of a cluster: whether it raised an alarm; null where it is not there or could not look.</summary>
internal sealed record PeerAnswer(bool? Alarm, string Output);

/// <summary>The tools that people use today, as their manuals say to run them for the most that they can see.</summary>
internal sealed class Peers(string directory, string? catcheck)
{
    public string? Amcheck { get; } = Existing(Path.Combine(directory, "pg_amcheck"));
    public string? Checksums { get; } = Existing(Path.Combine(directory, "pg_checksums"));
    public string? Catcheck { get; } = catcheck;

    /// <summary>pg_catcheck comes from no contrib module: beside the server's programs, or unpacked from its package below artifacts/tools.</summary>
    public static Peers Beside(PostgresBinaries binaries, string root)
    {
        var unpacked = $"{root}/artifacts/tools/usr/lib/postgresql/{binaries.Major}/bin/pg_catcheck";
        return new Peers(binaries.Directory, Existing(Path.Combine(binaries.Directory, "pg_catcheck")) ?? Existing(unpacked));
    }

    /// <summary>With everything that it offers: every row's entry, parents, every entry found again from the root.</summary>
    public async Task<PeerAnswer> AskAmcheck(ThrowawayCluster cluster, string database, CancellationToken cancellationToken) =>
        Amcheck is null ? Absent : Answer(await Run(cluster, [Amcheck, "-h", cluster.SocketDirectory, "-p", $"{cluster.Port}", "-U", "postgres",
            "-d", database, "--install-missing", "--heapallindexed", "--parent-check", "--rootdescend"], cancellationToken));

    /// <summary>Only a cluster that is down.</summary>
    public async Task<PeerAnswer> AskChecksums(ThrowawayCluster cluster, CancellationToken cancellationToken) =>
        Checksums is null ? Absent : Answer(await Run(cluster, [Checksums, "--check", "-D", cluster.DataDirectory], cancellationToken));

    public async Task<PeerAnswer> AskCatcheck(ThrowawayCluster cluster, string database, CancellationToken cancellationToken)
    {
        if (Catcheck is null)
            return Absent;
        var said = await Run(cluster, [Catcheck, "-h", cluster.SocketDirectory, "-p", $"{cluster.Port}", "-U", "postgres", database], cancellationToken);
        return new PeerAnswer(!said.Succeeded || !said.Output.Contains("done (0 inconsistencies, 0 warnings, 0 errors)", StringComparison.Ordinal), said.Output);
    }

    private static PeerAnswer Absent { get; } = new(null, "not installed");

    private static PeerAnswer Answer(CommandResult said) => new(!said.Succeeded, said.Output);

    private static Task<CommandResult> Run(ThrowawayCluster cluster, IReadOnlyList<string> command, CancellationToken cancellationToken) =>
        ExternalCommand.Run(command, cancellationToken, cluster.Home, new Dictionary<string, string> { ["PATH"] = "/usr/bin:/bin", ["LC_ALL"] = "C" });

    private static string? Existing(string path) => File.Exists(path) ? path : null;
}
