using System.Globalization;
using Kintsugi.Bench.Measuring;
using Kintsugi.Lab;
using Npgsql;

namespace Kintsugi.Bench;

/// <summary>What every benchmark works with: a throwaway cluster, our program, and the peers that this machine has.</summary>
internal sealed class Room(Laboratory laboratory, PostgresBinaries binaries, string folder, string kintsugi, bool quick)
{
    /// <summary>What a server has that somebody set up with care, but fsync: nobody compares disks here.</summary>
    private static readonly ClusterOptions Options = new()
    {
        WalSegmentMegabytes = 16,
        Settings = new Dictionary<string, string>
        {
            ["shared_buffers"] = "256MB", ["max_wal_size"] = "4GB", ["work_mem"] = "64MB", ["maintenance_work_mem"] = "64MB",
        },
    };

    private static readonly string[] FarPlaces = ["/usr/bin", "/usr/local/bin", "/bin"];

    private ThrowawayCluster? shared;

    public bool Quick { get; } = quick;

    public Laboratory Laboratory { get; } = laboratory;

    public PostgresBinaries Binaries { get; } = binaries;

    /// <summary>Where results are written: bench/.</summary>
    public string Folder { get; } = folder;

    public string Kintsugi { get; } = kintsugi;

    /// <summary>A program compiled ahead of time needs no assembly beside it.</summary>
    public bool IsNative { get; } = !File.Exists(kintsugi + ".dll");

    /// <summary>Small or full size.</summary>
    public int Size(int quickly, int fully) => Quick ? quickly : fully;

    public Task<ThrowawayCluster> NewCluster(CancellationToken cancellationToken) => Laboratory.Create(Binaries, Options, cancellationToken);

    /// <summary>The cluster that benchmarks share when they only need a database of their own.</summary>
    public async Task<ThrowawayCluster> Cluster(CancellationToken cancellationToken) => shared ??= await NewCluster(cancellationToken);

    /// <summary>A client program of PostgreSQL, beside the server's own, else of another major, else on the path; null when there is none.</summary>
    public string? Peer(string program)
    {
        var newestFirst = Directory.Exists("/usr/lib/postgresql")
            ? Directory.EnumerateDirectories("/usr/lib/postgresql").OrderDescending(StringComparer.Ordinal).Select(path => Path.Combine(path, "bin"))
            : [];
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        return new[] { Binaries.Directory }.Concat(newestFirst).Concat(path).Concat(FarPlaces).Select(place => Path.Combine(place, program))
            .FirstOrDefault(File.Exists);
    }

    /// <summary>Runs a program against a cluster and counts the server's processor time with its own.</summary>
    public Task<Run> Measure(ThrowawayCluster cluster, IReadOnlyList<string> command, CancellationToken cancellationToken) => Meter.Measure(
        command, Variables(cluster), cluster.Postmaster, cancellationToken);

    /// <summary>The same beside other work on that server, whose backends would be waited for: without the server's processor time.</summary>
    public Task<Run> Beside(ThrowawayCluster cluster, IReadOnlyList<string> command, CancellationToken cancellationToken) => Meter.Measure(
        command, Variables(cluster), null, cancellationToken);

    /// <summary>Our own program, which finds the server and our state by variables, as its peers do.</summary>
    public Task<Run> Ours(ThrowawayCluster cluster, CancellationToken cancellationToken, params string[] arguments) =>
        Measure(cluster, [Kintsugi, .. arguments], cancellationToken);

    public Dictionary<string, string> Variables(ThrowawayCluster cluster) => new()
    {
        ["PGHOST"] = cluster.SocketDirectory, ["PGPORT"] = cluster.Port.ToString(CultureInfo.InvariantCulture), ["PGUSER"] = "postgres",
        ["KINTSUGI_STATE"] = Path.Combine(Laboratory.Root, "state"), ["LC_ALL"] = "C",
    };

    /// <summary>Statements that may take long: loading what is measured.</summary>
    public static async Task Load(ThrowawayCluster cluster, string database, IEnumerable<string> statements, CancellationToken cancellationToken)
    {
        await using var connection = await cluster.Connect(database, cancellationToken);
        foreach (var statement in statements)
        {
            await using var command = new NpgsqlCommand(statement, connection) { CommandTimeout = 0 };
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    /// <summary>A new database in the shared cluster, filled, and settled so that no measurement pays for what loading left behind.</summary>
    public async Task<ThrowawayCluster> Database(string name, IEnumerable<string> statements, CancellationToken cancellationToken)
    {
        var cluster = await Cluster(cancellationToken);
        await Fill(cluster, name, statements, cancellationToken);
        return cluster;
    }

    public static async Task Fill(ThrowawayCluster cluster, string name, IEnumerable<string> statements, CancellationToken cancellationToken)
    {
        await cluster.Execute("postgres", $"CREATE DATABASE {name}", cancellationToken);
        await cluster.CreateExtensions(name, cancellationToken);
        await Load(cluster, name, [.. statements, "VACUUM (FREEZE, ANALYZE)", "CHECKPOINT"], cancellationToken);
    }
}
