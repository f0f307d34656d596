using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Fixtures;

[assembly: AssemblyFixture(typeof(Servers))]
// Two cores; servers do most of the work.
[assembly: Xunit.v3.Parallelization(MaxThreads = 2)]

namespace Kintsugi.Postgres.Tests.Fixtures;

/// <summary>
/// The servers of a test run. <see cref="Database"/> lends a fresh copy of the sample database on a server that tests
/// share; <see cref="Cluster"/> lends a whole cluster to whoever damages files, changes settings or kills.
/// </summary>
public sealed class Servers : IAsyncLifetime
{
    /// <summary>Servers that run at a time, of each of the two sorts.</summary>
    private const int MostLive = 2;

    private readonly SemaphoreSlim turn = new(1);
    private readonly SemaphoreSlim ownClusters = new(MostLive);
    private readonly SemaphoreSlim sharedFreed = new(0);
    private readonly Dictionary<int, SharedServer> shared = [];
    private Laboratory? laboratory;
    private int databases;

    public Laboratory Laboratory => laboratory ?? throw new InvalidOperationException("The fixture is not initialized.");

    public async ValueTask InitializeAsync() => laboratory = await Laboratory.Open(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (laboratory is not null)
            await laboratory.DisposeAsync();
        turn.Dispose();
        ownClusters.Dispose();
        sharedFreed.Dispose();
    }

    /// <summary>A fresh sample database on the shared server of this major.</summary>
    public async Task<TestDatabase> Database(int major, CancellationToken cancellationToken)
    {
        var server = await Lease(major, cancellationToken);
        var name = $"test_{Interlocked.Increment(ref databases)}";
        // FILE_COPY does not write the whole template into WAL; older servers know no other way.
        var strategy = major >= 15 ? " STRATEGY = FILE_COPY" : "";
        await server.Template.WaitAsync(cancellationToken);
        try
        {
            await server.Cluster.Execute(
                "postgres", $"CREATE DATABASE {name} TEMPLATE {SampleDatabase.Name}{strategy}", cancellationToken);
        }
        finally
        {
            server.Template.Release();
        }
        return new TestDatabase(server.Cluster, name, async database =>
        {
            await server.Cluster.Execute("postgres", $"DROP DATABASE IF EXISTS {database.Name} WITH (FORCE)",
                CancellationToken.None);
            await GiveBack(server);
        });
    }

    /// <summary>A running cluster of one's own with the sample database, copied from the golden one.</summary>
    public Task<TestDatabase> Cluster(int major, CancellationToken cancellationToken) =>
        Cluster(major, new ClusterOptions(), cancellationToken);

    /// <inheritdoc cref="Cluster(int, CancellationToken)"/>
    public async Task<TestDatabase> Cluster(int major, ClusterOptions options, CancellationToken cancellationToken)
    {
        await ownClusters.WaitAsync(cancellationToken);
        ThrowawayCluster cluster;
        try
        {
            cluster = await CopyGolden(major, options, cancellationToken);
            await cluster.Start(cancellationToken);
        }
        catch
        {
            // The tests behind this one must not wait for a cluster that never came to be.
            ownClusters.Release();
            throw;
        }
        return new TestDatabase(cluster, SampleDatabase.Name, async _ =>
        {
            await cluster.DisposeAsync();
            ownClusters.Release();
        });
    }

    private async Task<ThrowawayCluster> CopyGolden(int major, ClusterOptions options, CancellationToken cancellationToken)
    {
        var binaries = await PostgresBinaries.Find(major, null, cancellationToken);
        var golden = await GoldenCluster.Obtain(
            Laboratory, binaries, options, SampleDatabase.ForTests, TimeProvider.System, cancellationToken);
        return await Laboratory.CopyOf(binaries, options, golden, cancellationToken);
    }

    private async Task<SharedServer> Lease(int major, CancellationToken cancellationToken)
    {
        while (true)
        {
            await turn.WaitAsync(cancellationToken);
            try
            {
                if (await TryLease(major, cancellationToken) is { } server)
                    return server;
            }
            finally
            {
                turn.Release();
            }
            await sharedFreed.WaitAsync(cancellationToken);
        }
    }

    private async Task<SharedServer?> TryLease(int major, CancellationToken cancellationToken)
    {
        if (!shared.TryGetValue(major, out var server))
            shared.Add(major, server = new SharedServer(await CopyGolden(major, new ClusterOptions(), cancellationToken)));
        if (!server.Cluster.IsRunning)
        {
            var live = shared.Values.Where(s => s.Cluster.IsRunning).ToList();
            if (live.Count >= MostLive)
            {
                if (live.Find(s => s.Leases == 0) is not { } idle)
                    return null;
                await idle.Cluster.Stop(StopMode.Fast, cancellationToken);
            }
            await server.Cluster.Start(cancellationToken);
        }
        server.Leases++;
        return server;
    }

    private async Task GiveBack(SharedServer server)
    {
        await turn.WaitAsync();
        server.Leases--;
        turn.Release();
        sharedFreed.Release();
    }

    private sealed class SharedServer(ThrowawayCluster cluster)
    {
        public ThrowawayCluster Cluster { get; } = cluster;

        /// <summary>CREATE DATABASE wants its template to itself.</summary>
        public SemaphoreSlim Template { get; } = new(1);

        public int Leases { get; set; }
    }
}
