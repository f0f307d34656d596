using Kintsugi.Lab;
using Kintsugi.Postgres.Files;
using Kintsugi.Postgres.Scratch;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Postgres.Snapshots;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;
using Npgsql;

namespace Kintsugi.Postgres.Tests.Snapshots;

public sealed class ClusterSnapshotTests(Servers servers) : IDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-snapshots-").FullName;
    private readonly string outside = Directory.CreateTempSubdirectory("kintsugi-laid-out-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        Directory.Delete(state, recursive: true);
        Directory.Delete(outside, recursive: true);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_copy_of_a_running_cluster_starts_with_every_row_and_with_its_tablespace(int major)
    {
        await using var database = await servers.Cluster(major, Token);
        var place = Path.Combine(database.Cluster.Home, "elsewhere");
        await database.Execute($"copy (select 1) to program 'cat > /dev/null; mkdir -p {place}'", Token);
        await database.Execute($"create tablespace elsewhere location '{place}'", Token);
        await database.Execute("create table spaced tablespace elsewhere as select g as id from generate_series(1, 1000) g",
            Token);
        await database.Execute("create table damaged as select g as id from generate_series(1, 5000) g; checkpoint", Token);
        var damaged = await Damage(database, "damaged");
        var movies = await database.Scalar<long>("select count(*) from movies", Token);

        var id = await Take(database);
        var manifest = Store.Show(id);

        Assert.Empty(await Store.Verify(id, Token));
        Assert.NotNull(manifest.EndLsn);
        Assert.False(File.Exists(Path.Combine(database.Cluster.DataDirectory, "backup_label")));
        Assert.True(File.Exists(Path.Combine(Store.PlaceOf(id), "data", "backup_label")));
        Assert.Equal(place, Assert.Single(manifest.Tablespaces).Value);
        Assert.Equal(damaged.Bytes, await File.ReadAllBytesAsync(Path.Combine(Store.PlaceOf(id), "data", damaged.Path), Token));

        await using var scratch = await Start(database, id);
        Assert.Equal(1000, await Count(scratch, database.Name, "spaced"));
        Assert.Equal(movies, await Count(scratch, database.Name, "movies"));
        var refusal = await Assert.ThrowsAsync<PostgresException>(() => Count(scratch, database.Name, "damaged"));
        Assert.Equal("XX001", refusal.SqlState);
        Assert.Empty(await Store.Verify(id, Token));
    }

    [Fact]
    public async Task A_copy_that_was_taken_under_writes_holds_transactions_whole()
    {
        await using var database = await servers.Cluster(TestMajors.Newest, Token);
        await database.Execute("create table debit (id bigint primary key, body text); create table credit (id bigint primary "
            + "key, body text)", Token);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var written = 0L;
        var begun = new TaskCompletionSource();
        var writer = Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested)
            {
                await database.Execute($"begin; insert into debit values ({written}, repeat('d', 1500)); "
                    + $"insert into credit values ({written}, repeat('c', 1500)); commit", Token);
                if (++written == 50)
                    begun.SetResult();
            }
        }, Token);
        await begun.Task.WaitAsync(Token);

        var id = await Take(database);
        await enough.CancelAsync();
        await writer;

        await using var scratch = await Start(database, id);
        var (debit, credit) = (await Count(scratch, database.Name, "debit"), await Count(scratch, database.Name, "credit"));
        Assert.Equal(debit, credit);
        Assert.InRange(debit, 50, written);
        Assert.Equal(0, await Count(scratch, database.Name,
            "debit full join credit using (id) where debit.id is null or credit.id is null"));
    }

    [Fact]
    public async Task A_stopped_cluster_is_copied_whole_and_a_running_one_is_not_taken_for_stopped()
    {
        await using var database = await servers.Cluster(TestMajors.Newest, Token);
        var movies = await database.Scalar<long>("select count(*) from movies", Token);
        var patient = new Patient(null, new LocalFiles(database.Cluster.DataDirectory), new Capabilities
        {
            Major = database.Major, VersionNumber = database.Major * 10000, Version = $"{database.Major}", SystemIdentifier = "1",
        });
        await using var factory = new SessionFactory(_ => "", new SessionLimits());
        var taker = new SnapshotTaker(Store, factory);

        var running = await Assert.ThrowsAsync<HealingException>(
            () => taker.Take(null, "asked for", SnapshotGrade.Cluster, [], patient, Token).AsTask());
        Assert.Contains("a server (process", running.Message);
        await database.Cluster.Stop(StopMode.Fast, Token);
        var id = await taker.Take(null, "asked for", SnapshotGrade.Cluster, [], patient, Token);

        Assert.Empty(await Store.Verify(id, Token));
        await using var scratch = await Start(database, id);
        Assert.Equal(movies, await Count(scratch, database.Name, "movies"));
    }

    [Fact]
    public async Task A_copy_with_a_link_to_the_living_cluster_is_not_started()
    {
        var data = Directory.CreateDirectory(Path.Combine(outside, "data", "pg_tblspc")).Parent!.FullName;
        File.CreateSymbolicLink(Path.Combine(data, "pg_tblspc", "16400"), "/tmp");

        var refusal = await Assert.ThrowsAsync<HealingException>(
            () => ScratchServer.Start("/nowhere", data, null, TimeProvider.System, Token).AsTask());

        Assert.Contains("leads out of the copy", refusal.Message);
    }

    private SnapshotStore Store => new(state, new SnapshotStoreSettings(), TimeProvider.System);

    private async Task<string> Take(TestDatabase database)
    {
        await using var factory = new SessionFactory(name => database.Cluster.ConnectionString(name ?? database.Name),
            new SessionLimits());
        await using var session = await factory.OpenRead(database.Name, Token);
        var can = await CapabilityProbe.Probe(session, null, Token);
        var patient = new Patient(session, new LocalFiles(can.DataDirectory!), can);
        return await new SnapshotTaker(Store, factory).Take("0123456789ab", "a test", SnapshotGrade.Cluster, [], patient, Token);
    }

    private async Task<ScratchServer> Start(TestDatabase database, string id)
    {
        File.SetUnixFileMode(outside, (UnixFileMode)0b111_101_101);
        var target = Path.Combine(outside, id);
        await new SnapshotRestore(Store).LayOut(id, target, Token);
        return await ScratchServer.Start(
            database.Cluster.Binaries.Directory, SnapshotRestore.DataDirectory(target), null, TimeProvider.System, Token);
    }

    private static async Task<long> Count(ScratchServer server, string database, string table)
    {
        await using var connection = new NpgsqlConnection(server.ConnectionString(database, "postgres"));
        await connection.OpenAsync(Token);
        await using var command = new NpgsqlCommand($"select count(*) from {table}", connection);
        return (long)(await command.ExecuteScalarAsync(Token))!;
    }

    private static async Task<(string Path, byte[] Bytes)> Damage(TestDatabase database, string table)
    {
        var path = (await database.Scalar<string>($"select pg_relation_filepath('{table}')", Token))!;
        var file = Path.Combine(database.Cluster.DataDirectory, path);
        await using (var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            stream.Position = (2 * 8192) + 4000;
            var old = stream.ReadByte();
            stream.Position--;
            stream.WriteByte((byte)(old ^ 0x55));
        }
        return (path, await File.ReadAllBytesAsync(file, Token));
    }
}
