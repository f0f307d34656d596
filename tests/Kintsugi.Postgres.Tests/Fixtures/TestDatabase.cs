using Kintsugi.Lab;

namespace Kintsugi.Postgres.Tests.Fixtures;

/// <summary>A sample database that belongs to one test; disposing gives it back.</summary>
public sealed class TestDatabase(ThrowawayCluster cluster, string name, Func<TestDatabase, Task> giveBack) : IAsyncDisposable
{
    public ThrowawayCluster Cluster { get; } = cluster;

    public string Name { get; } = name;

    public int Major => Cluster.Major;

    public string ConnectionString => Cluster.ConnectionString(Name);

    public Task Execute(string sql, CancellationToken cancellationToken) => Cluster.Execute(Name, sql, cancellationToken);

    public Task<T?> Scalar<T>(string sql, CancellationToken cancellationToken) => Cluster.Scalar<T>(Name, sql, cancellationToken);

    public Task<IReadOnlyList<object?[]>> Query(string sql, CancellationToken cancellationToken) =>
        Cluster.Query(Name, sql, cancellationToken);

    public Task<Fingerprint> Fingerprint(CancellationToken cancellationToken) =>
        Kintsugi.Lab.Fingerprint.Take(Cluster, Name, cancellationToken);

    public async ValueTask DisposeAsync() => await giveBack(this);
}
