using Kintsugi.Postgres.Tests.Checks.Storage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Postgres.Tests.Healing;
using Kintsugi.State;
using FileSurgery = Kintsugi.Postgres.Tests.Checks.Indexes.Surgery;

namespace Kintsugi.Postgres.Tests.Repairs.Values;

/// <summary>A page of the table that belongs to another: its indexes are all that is left of the rows, and are not rebuilt over it. An index of another table is.</summary>
public sealed class ForeignPagesTests(Servers servers) : IDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-foreign-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(state, recursive: true);

    private static readonly string[] Twins =
    [
        "CREATE TABLE twin_a (id int PRIMARY KEY, code int NOT NULL, name text)",
        "CREATE TABLE twin_b (id int PRIMARY KEY, code int NOT NULL, name text)",
        "INSERT INTO twin_a SELECT i, i * 2, 'row ' || i FROM generate_series(1, 3000) i",
        // The same ids in the same places: only the other index knows.
        "INSERT INTO twin_b SELECT i, i * 2 + 1, 'own ' || i FROM generate_series(1, 3000) i",
        "CREATE INDEX twin_a_code ON twin_a (code)",
        "CREATE INDEX twin_b_code ON twin_b (code)",
        "VACUUM (FREEZE, ANALYZE)",
    ];

    private async Task<TestDatabase> Database(int major)
    {
        var database = await servers.Cluster(major, Token);
        foreach (var statement in Twins)
            await database.Execute(statement, Token);
        StateDirectory.Open(state);
        return database;
    }

    private Treatment Treat(TestDatabase database) => new(database.ConnectionString, database.Cluster.DataDirectory, state)
    {
        Checks = ["pages", "heap-pages", "heap", "index-entries", "btree"],
        Policy = new Policy { Consent = true, Allow = Grade.Reversible },
    };

    private static Task<string?> Filenodes(TestDatabase database) =>
        database.Scalar<string>("SELECT string_agg(relname || relfilenode, ',' ORDER BY relname) FROM pg_class WHERE relkind = 'i' AND relname LIKE 'twin%'", Token);

    public static TheoryData<int, string> Pages
    {
        get
        {
            var data = new TheoryData<int, string>();
            foreach (var major in TestMajors.Ends)
                foreach (var from in new[] { "twin_b", "twin_a" })
                    data.Add(major, from);
            return data;
        }
    }

    [Theory, MemberData(nameof(Pages))]
    public async Task The_last_keys_of_rows_that_another_page_has_overwritten_are_not_rebuilt_away(int major, string from)
    {
        await using var database = await Database(major);
        var files = await Filenodes(database);
        var neighbour = await database.Scalar<string>("SELECT md5(string_agg(twin_b::text, ',' ORDER BY id)) FROM twin_b", Token);
        var source = await StorageWard.FileOf(database, from, Token);
        var surgery = await new FileSurgery(database).On("twin_a", file =>
            StorageWard.Alter(file, 3, seal: true, page => StorageWard.ReadPage(source, from == "twin_b" ? 3 : 2).CopyTo(page.AsSpan())), Token);
        await surgery.Operate(Token);
        Assert.True(await database.Scalar<long>("SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off; "
            + "SELECT 3000 - count(DISTINCT code) FILTER (WHERE code % 2 = 0) FROM twin_a", Token) > 100, "no row is overwritten");
        Assert.NotEmpty((await Treat(database).Look(Token)).Findings);

        var cases = await Treat(database).Run(Token);

        Assert.NotEmpty(cases);
        Assert.DoesNotContain(cases, done => done.Outcome is Outcome.Healed && done.Plan!.Repair == "reindex");
        // A page of the same table says so itself; of one of another table the indexes alone can tell.
        Assert.Contains(cases, done => done.Outcome is Outcome.Escalated && (from == "twin_a"
            ? done.Case.Findings.Any(finding => finding.Target.Block == 3 && finding.Evidence.Contains("lie in block 2", StringComparison.Ordinal))
            : done.Outcome.Why!.Contains("the last that knows which rows are lost", StringComparison.Ordinal)
                && done.Outcome.Why!.Contains("block 3", StringComparison.Ordinal)));
        Assert.Equal(files, await Filenodes(database));
        Assert.Equal(neighbour, await database.Scalar<string>("SELECT md5(string_agg(twin_b::text, ',' ORDER BY id)) FROM twin_b", Token));
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task An_index_that_belongs_to_another_table_is_rebuilt(int major)
    {
        await using var database = await Database(major);
        var before = await database.Fingerprint(Token);
        var source = await StorageWard.FileOf(database, "twin_b_code", Token);
        await (await new FileSurgery(database).On("twin_a_code", file => File.WriteAllBytes(file, File.ReadAllBytes(source)), Token)).Operate(Token);
        Assert.NotEmpty((await Treat(database).Look(Token)).Findings);

        var cases = await Treat(database).Run(Token);

        Assert.All(cases, done => Assert.True(done.Outcome is Outcome.Healed or Outcome.Transient, $"{done.Case.Cause}: {done.Outcome.Word} {done.Outcome.Why}"));
        Assert.Contains(cases, done => done.Outcome is Outcome.Healed && done.Plan!.Repair == "reindex");
        Assert.Empty((await Treat(database).Look(Token)).Findings);
        Assert.True(before.CompareWith(await database.Fingerprint(Token)).IsEmpty);
    }
}
