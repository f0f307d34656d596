using Kintsugi.Postgres.Files;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Postgres.Snapshots;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;

namespace Kintsugi.Postgres.Tests.Snapshots;

public sealed class SnapshotTakerTests(Servers servers) : IDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-snapshots-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(state, recursive: true);

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Files_and_server_give_the_same_copy_of_every_fork(int major)
    {
        await using var database = await servers.Database(major, Token);
        await database.Execute("create table \"we;ird\"\"name\" as select g as id, repeat('x', 500) as body from "
            + "generate_series(1, 5000) g", Token);
        await database.Execute("vacuum (freeze, analyze) \"we;ird\"\"name\"", Token);
        var files = await Take(database, SnapshotGrade.Relation, overSql: false, ("public", "we;ird\"name"));
        var sql = await Take(database, SnapshotGrade.Relation, overSql: true, ("public", "we;ird\"name"));

        var (mine, theirs) = (Store.Show(files), Store.Show(sql));

        var path = Assert.Single(mine.Objects).Path!;
        Assert.Equal([$"data/{path}", $"data/{path}_fsm", $"data/{path}_vm"], mine.Files.Select(file => file.Name));
        Assert.Equal(mine.Files, theirs.Files);
        Assert.True(mine.Files[0].Bytes > 2_000_000);
        Assert.Equal(
            await File.ReadAllBytesAsync(Path.Combine(database.Cluster.DataDirectory, path), Token),
            await File.ReadAllBytesAsync(Path.Combine(Store.PlaceOf(files), "data", path), Token));
        Assert.NotNull(mine.Lsn);
        Assert.Empty(await Store.Verify(files, Token));
        Assert.Empty(await Store.Verify(sql, Token));
    }

    [Fact]
    public async Task A_damaged_page_is_kept_exactly_and_noted()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        // Nobody writes its pages any more: all hints are set.
        await database.Execute("create table t with (autovacuum_enabled = off) as select g as id from generate_series(1, 5000) g", Token);
        await database.Execute("vacuum (freeze) t", Token);
        await database.Execute("checkpoint", Token);
        var path = await database.Scalar<string>("select pg_relation_filepath('t')", Token);
        var file = Path.Combine(database.Cluster.DataDirectory, path!);
        await using (var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            stream.Position = (2 * 8192) + 4000;
            var value = stream.ReadByte();
            stream.Position--;
            stream.WriteByte((byte)(value ^ 0x55));
        }
        var damaged = await File.ReadAllBytesAsync(file, Token);

        var id = await Take(database, SnapshotGrade.Relation, overSql: false, ("public", "t"));

        Assert.Equal(damaged, await File.ReadAllBytesAsync(Path.Combine(Store.PlaceOf(id), "data", path!), Token));
        Assert.Contains("block 2", Store.Show(id).Files[0].Note);
    }

    [Fact]
    public async Task Grade_none_keeps_the_definition_alone()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await database.Execute("create table t (id int); create index \"T.idx\" on t (id desc)", Token);

        var id = await Take(database, SnapshotGrade.None, overSql: true, ("public", "T.idx"));

        Assert.Contains("(id DESC)", Assert.Single(Store.Show(id).Objects).Definition);
        Assert.Empty(Store.Show(id).Files);
    }

    [Fact]
    public async Task A_partitioned_table_is_copied_with_its_leaves()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await database.Execute("create table p (id int) partition by range (id); create table p1 partition of p for values from "
            + "(0) to (10); "
            + "create table p2 partition of p for values from (10) to (20); insert into p values (1), (11)", Token);

        var id = await Take(database, SnapshotGrade.Relation, overSql: false, ("public", "p"));

        Assert.Equal(["public.p", "public.p1", "public.p2"], Store.Show(id).Objects.Select(item => item.Name).Order());
        Assert.Equal(2, Store.Show(id).Files.Count(file => file.Bytes > 0));
    }

    [Fact]
    public async Task Without_the_right_to_read_files_the_repair_is_stopped_and_told_why()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await database.Execute("create table t (id int); drop role if exists weak; create role weak login", Token);
        await using var factory = new SessionFactory(
            name => database.Cluster.ConnectionString(name ?? database.Name).Replace("Username=postgres", "Username=weak"),
                new SessionLimits());
        var patient = await Open(factory, database);
        await using var session = patient.Sql;
        Assert.Equal("weak", patient.Can.User);

        var problem = await Assert.ThrowsAsync<HealingException>(() => new SnapshotTaker(Store, factory).Take(
            null, "asked for", SnapshotGrade.Relation, [Named(patient, "public", "t")], patient with { Files = null },
                Token).AsTask());

        Assert.False(problem.MayPass);
        Assert.Contains("pg_read_server_files", problem.Message);
        Assert.Empty(Store.Ids());
    }

    private SnapshotStore Store => new(state, new SnapshotStoreSettings(), TimeProvider.System);

    private async Task<string> Take(TestDatabase database, SnapshotGrade grade, bool overSql,
        params (string Schema, string Name)[] relations)
    {
        await using var factory = new SessionFactory(name => database.Cluster.ConnectionString(name ?? database.Name),
            new SessionLimits());
        var patient = await Open(factory, database);
        await using var session = patient.Sql;
        Assert.NotNull(patient.Files);
        if (overSql)
            patient = patient with { Files = null };
        return await new SnapshotTaker(Store, factory).Take(
            "0123456789ab", "a test", grade, [.. relations.Select(item => Named(patient, item.Schema, item.Name))], patient,
                Token);
    }

    private static async Task<Patient> Open(SessionFactory factory, TestDatabase database)
    {
        var session = await factory.OpenRead(database.Name, Token);
        var can = await CapabilityProbe.Probe(session, null, Token);
        return new Patient(session, can.FilesReachable ? new LocalFiles(can.DataDirectory!) : null, can)
        {
            Inventory = await InventoryReader.Read(session, new Dictionary<(uint, string), IReadOnlyList<string>>(), Token),
        };
    }

    private static Target Named(Patient patient, string schema, string name) =>
        patient.Relations.Find(schema, name)!.ToTarget(patient.Can.SystemIdentifier, patient.Relations.Database);
}
