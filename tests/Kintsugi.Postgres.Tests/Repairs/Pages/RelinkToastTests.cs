using System.Buffers.Binary;
using Kintsugi.Lab;
using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Postgres.Tests.Checks.Storage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Postgres.Tests.Healing;
using Kintsugi.State;
using FileSurgery = Kintsugi.Postgres.Tests.Checks.Indexes.Surgery;

namespace Kintsugi.Postgres.Tests.Repairs.Pages;

/// <summary>A pointer that names no value finds the one value that is left over, and guesses between none.</summary>
public sealed class RelinkToastTests(Servers servers) : IDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-relinks-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(state, recursive: true);

    private Treatment Treat(TestDatabase database)
    {
        StateDirectory.Open(state);
        return new Treatment(database.ConnectionString, database.Cluster.DataDirectory, state)
        {
            Checks = ["heap", "toast-values"],
            Depth = Depth.Deep,
            Policy = new Policy { Consent = true, Allow = Grade.Reversible },
        };
    }

    private async Task<TestDatabase> Database(int major)
    {
        var database = await servers.Cluster(major, Token);
        await database.Execute("CREATE TABLE t_files (id int PRIMARY KEY, plain text, packed text); ALTER TABLE t_files ALTER plain SET STORAGE EXTERNAL", Token);
        await database.Execute("""
            INSERT INTO t_files SELECT i, (SELECT string_agg(md5(i::text || n::text), '') FROM generate_series(1, 70 + i % 50) n),
              (SELECT string_agg(md5(i::text || n::text) || repeat('-', 40), '') FROM generate_series(1, 200 + i % 40) n) FROM generate_series(1, 120) i
            """, Token);
        // Values of rows that are gone, and of one that never was.
        await database.Execute("DELETE FROM t_files WHERE id % 10 = 0", Token);
        await database.Execute("BEGIN; INSERT INTO t_files SELECT 1000, plain, packed FROM t_files WHERE id = 1; ROLLBACK", Token);
        return database;
    }

    private static async Task Mislead(TestDatabase database, string column, params int[] ids)
    {
        var surgery = new FileSurgery(database);
        var toast = await database.Scalar<uint>("SELECT reltoastrelid FROM pg_class WHERE relname = 't_files'", Token);
        foreach (var id in ids)
        {
            var place = await surgery.PlaceOf("t_files", $"id = {id}", Token);
            await surgery.On("t_files", file => StorageWard.Alter(file, place.Block, seal: true, page =>
            {
                var line = LinePointer.Read(page, place.Item);
                var tuple = page.AsSpan(line.Offset, line.Length);
                var relation = new byte[4];
                BinaryPrimitives.WriteUInt32LittleEndian(relation, toast);
                var found = column == "plain" ? tuple.IndexOf(relation) : tuple.LastIndexOf(relation);
                var value = tuple[(found - 4)..];
                BinaryPrimitives.WriteUInt32LittleEndian(value, BinaryPrimitives.ReadUInt32LittleEndian(value) + 50_000);
            }), Token);
        }
        await surgery.Operate(Token);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_pointer_that_leads_nowhere_finds_its_value_again(int major)
    {
        await using var database = await Database(major);
        var before = await database.Fingerprint(Token);
        await Mislead(database, "plain", 7);
        await Mislead(database, "packed", 33);
        Assert.NotEmpty((await Treat(database).Look(Token)).Findings);

        var cases = await Treat(database).Run(Token);

        Assert.All(cases, done => Assert.True(done.Outcome is Outcome.Healed, $"{done.Case.Cause}: {done.Outcome.Word} {done.Outcome.Why}"));
        Assert.All(cases, done => Assert.Equal("relink-toast", done.Plan!.Repair));
        Assert.Empty((await Treat(database).Look(Token)).Findings);
        Assert.True(before.CompareWith(await database.Fingerprint(Token)).IsEmpty);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Between_two_values_of_one_size_nothing_is_chosen(int major)
    {
        await using var database = await Database(major);
        // Both plain values have the same length.
        await Mislead(database, "plain", 7, 57);
        var before = await Values(database);

        var cases = await Treat(database).Run(Token);

        Assert.NotEmpty(cases);
        Assert.All(cases, done => Assert.IsType<Outcome.Escalated>(done.Outcome));
        Assert.Contains(cases, done => done.Outcome.Why!.Contains("2 of 2 values that no row refers to", StringComparison.Ordinal));
        Assert.Equal(before, await Values(database));
    }

    /// <summary>All rows as they lie in the file, without their headers: whoever reads a page may tidy it and note what it learned.</summary>
    private static async Task<List<string>> Values(TestDatabase database)
    {
        var surgery = new FileSurgery(database);
        var file = await StorageWard.FileOf(database, "t_files", Token);
        var values = new List<string>();
        // Every tenth was deleted.
        foreach (var id in Enumerable.Range(1, 120).Where(id => id % 10 != 0))
        {
            var place = await surgery.PlaceOf("t_files", $"id = {id}", Token);
            var page = StorageWard.ReadPage(file, place.Block);
            var line = LinePointer.Read(page, place.Item);
            values.Add(Convert.ToHexString(page.AsSpan(line.Offset + 24, line.Length - 24)));
        }
        return values;
    }
}
