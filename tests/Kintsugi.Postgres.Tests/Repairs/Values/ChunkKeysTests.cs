using System.Buffers.Binary;
using Kintsugi.Lab;
using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Pages.Indexes;
using Kintsugi.Postgres.Tests.Checks.Storage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Postgres.Tests.Healing;
using Kintsugi.State;
using FileSurgery = Kintsugi.Postgres.Tests.Checks.Indexes.Surgery;

namespace Kintsugi.Postgres.Tests.Repairs.Values;

/// <summary>A large value is read through the index of its TOAST table alone: where a chunk's own key is what rotted, a rebuild of the index would take the value away.</summary>
public sealed class ChunkKeysTests(Servers servers) : IDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-chunks-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(state, recursive: true);

    private Treatment Treat(TestDatabase database, Grade allow)
    {
        StateDirectory.Open(state);
        return new Treatment(database.ConnectionString, database.Cluster.DataDirectory, state)
        {
            Checks = ["heap", "btree", "toast-values"],
            Depth = Depth.Deep,
            Policy = new Policy { Consent = true, Allow = allow },
        };
    }

    /// <summary>Values of one chunk and of several.</summary>
    private async Task<(TestDatabase Database, string Toast)> Database(int major)
    {
        var database = await servers.Cluster(major, Token);
        await database.Execute("CREATE TABLE k_files (id int PRIMARY KEY, v text, pad text); ALTER TABLE k_files ALTER v SET STORAGE EXTERNAL", Token);
        await database.Execute("""
            INSERT INTO k_files SELECT i,
                (SELECT string_agg(md5(i::text || n::text), '') FROM generate_series(1, CASE WHEN i % 2 = 0 THEN 62 ELSE 170 END) n),
                md5(i::text) || md5((i + 1)::text) || md5((i + 2)::text) || md5((i + 3)::text) FROM generate_series(1, 80) i;
            DELETE FROM k_files WHERE id % 10 = 0;
            """, Token);
        await database.Execute("VACUUM (FREEZE) k_files", Token);
        return (database, (await database.Scalar<string>("SELECT reltoastrelid::regclass::text FROM pg_class WHERE relname = 'k_files'", Token))!);
    }

    /// <summary>The value of a row, by the order in which the rows got theirs.</summary>
    private static Task<uint> ValueOf(TestDatabase database, string toast, int id) => database.Scalar<uint>(
        $"SELECT c.chunk_id FROM (SELECT DISTINCT chunk_id FROM {toast}) c ORDER BY 1 OFFSET (SELECT count(*) FROM k_files WHERE id < {id}) LIMIT 1", Token);

    private static async Task Alter(TestDatabase database, string toast, uint value, int number, Action<byte[], int> strike)
    {
        var surgery = new FileSurgery(database);
        var place = await surgery.PlaceOf(toast, $"chunk_id = {value} AND chunk_seq = {number}", Token);
        await surgery.On(toast, file => StorageWard.Alter(file, place.Block, seal: true, page =>
        {
            var line = LinePointer.Read(page, place.Item);
            strike(page, line.Offset + HeapTupleHeader.Read(page.AsSpan(line.Offset, line.Length)).DataStart);
        }), Token);
        await surgery.Operate(Token);
    }

    private static void Add(byte[] page, int at, int more) =>
        BinaryPrimitives.WriteInt32LittleEndian(page.AsSpan(at), BinaryPrimitives.ReadInt32LittleEndian(page.AsSpan(at)) + more);

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_chunk_that_bears_another_value_is_not_taken_from_its_row_and_gets_its_own_back(int major)
    {
        var (database, toast) = await Database(major);
        await using var closed = database;
        var before = await database.Fingerprint(Token);
        await Alter(database, toast, await ValueOf(database, toast, 14), 0, (page, at) => Add(page, at, 1_000_003));
        Assert.NotEmpty((await Treat(database, Grade.Lossless).Look(Token)).Findings);
        Assert.Equal(0L, await database.Scalar<long>($"SELECT count(*) FROM {toast} c WHERE chunk_seq > 0 AND NOT EXISTS (SELECT FROM {toast} f WHERE f.chunk_id = c.chunk_id AND f.chunk_seq = 0)", Token));
        Assert.True(before.CompareWith(await database.Fingerprint(Token)).IsEmpty, "the value is found through the index still");

        var unasked = await Treat(database, Grade.Lossless).Run(Token);

        Assert.All(unasked, done => Assert.IsType<Outcome.Waiting>(done.Outcome));
        Assert.True(before.CompareWith(await database.Fingerprint(Token)).IsEmpty);

        var cases = await Treat(database, Grade.Reversible).Run(Token);

        Assert.Equal("restore-value", Assert.Single(cases, done => done.Outcome is Outcome.Healed).Plan!.Repair);
        Assert.Empty((await Treat(database, Grade.Lossless).Look(Token)).Findings);
        Assert.True(before.CompareWith(await database.Fingerprint(Token)).IsEmpty);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Chunks_of_a_wrong_or_a_doubled_number_get_theirs_back(int major)
    {
        var (database, toast) = await Database(major);
        await using var closed = database;
        var before = await database.Fingerprint(Token);
        await Alter(database, toast, await ValueOf(database, toast, 21), 1, (page, at) => Add(page, at + 4, 6));
        await Alter(database, toast, await ValueOf(database, toast, 33), 1, (page, at) => Add(page, at + 4, -1));
        Assert.NotEmpty((await Treat(database, Grade.Lossless).Look(Token)).Findings);
        await Assert.ThrowsAnyAsync<Exception>(() => database.Scalar<long>("SELECT count(md5(v)) FROM k_files WHERE id IN (21, 33)", Token));

        await Treat(database, Grade.Reversible).Run(Token);

        Assert.Empty((await Treat(database, Grade.Lossless).Look(Token)).Findings);
        Assert.True(before.CompareWith(await database.Fingerprint(Token)).IsEmpty);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Where_the_entry_is_what_is_wrong_the_index_is_rebuilt_and_no_chunk_is_touched(int major)
    {
        var (database, toast) = await Database(major);
        await using var closed = database;
        var before = await database.Fingerprint(Token);
        var surgery = new FileSurgery(database);
        var (value, last) = (await ValueOf(database, toast, 79), await database.Scalar<uint>($"SELECT max(chunk_id) FROM {toast}", Token));
        var place = await surgery.PlaceOf(toast, $"chunk_id = {value} AND chunk_seq = 2", Token);
        Assert.Equal(last, value);
        await surgery.On(toast + "_index", file =>
        {
            var (block, entry) = FileSurgery.Find(file, IndexKind.Btree, place);
            // Behind the entry's header: the last entry of all stays the last.
            StorageWard.Alter(file, block, seal: true, page => Add(page, LinePointer.Read(page, entry.Item).Offset + 8 + 4, 5));
        }, Token);
        await surgery.Operate(Token);
        Assert.NotEmpty((await Treat(database, Grade.Lossless).Look(Token)).Findings);

        var cases = await Treat(database, Grade.Lossless).Run(Token);

        Assert.Contains(cases, done => done.Outcome is Outcome.Healed && done.Plan!.Repair == "reindex");
        Assert.Empty((await Treat(database, Grade.Lossless).Look(Token)).Findings);
        Assert.True(before.CompareWith(await database.Fingerprint(Token)).IsEmpty);
    }
}
