using Kintsugi.Postgres.Tests.Checks.Storage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Postgres.Tests.Healing;
using Kintsugi.State;

namespace Kintsugi.Postgres.Tests.Checks.Indexes;

/// <summary>A page that was written to another block is told by its rows, and no index is rebuilt over it; rows that a lost update left with a wrong t_ctid are not accused.</summary>
public sealed class PageTwinTests(Servers servers) : IDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-twin-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(state, recursive: true);

    public static TheoryData<int, bool> Places
    {
        get
        {
            var data = new TheoryData<int, bool>();
            foreach (var major in TestMajors.Ends)
            {
                data.Add(major, false);
                data.Add(major, true);
            }
            return data;
        }
    }

    [Theory, MemberData(nameof(Places))]
    public async Task A_page_that_was_written_to_another_block_is_accused_and_its_indexes_are_kept(int major, bool behindTheEnd)
    {
        await using var database = await Database(major);
        var files = await Filenodes(database);
        var blocks = await database.Scalar<int>("SELECT relpages FROM pg_class WHERE relname = 'strayed'", Token);
        var block = behindTheEnd ? blocks : 3;
        var surgery = await new Surgery(database).On("strayed", file =>
        {
            if (behindTheEnd)
                File.WriteAllBytes(file, [.. File.ReadAllBytes(file), .. new byte[8192]]);
            StorageWard.Alter(file, block, seal: true, page => StorageWard.ReadPage(file, 2).CopyTo(page.AsSpan()));
        }, Token);
        await surgery.Operate(Token);
        Assert.True(await database.Scalar<long>("SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off; "
            + "SELECT count(*) - count(DISTINCT code) FROM strayed", Token) > 50, "no row is there twice");

        var report = await StorageWard.Examine(database, Token, only: "heap-pages");

        var finding = Assert.Single(report.Findings);
        Assert.Equal(("heap-corrupt", "strayed", (long?)block), (finding.Fault.Id, finding.Target.Relation, finding.Target.Block));
        Assert.Contains("its rows say that they lie in block 2", finding.Evidence, StringComparison.Ordinal);
        var cases = await Treat(database).Run(Token);
        Assert.DoesNotContain(cases, done => done.Outcome is Outcome.Healed);
        Assert.Equal(files, await Filenodes(database));
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Rows_whose_update_was_rolled_back_before_they_were_frozen_are_sound(int major)
    {
        await using var database = await Database(major);
        await database.Execute("DO $$ BEGIN UPDATE strayed SET name = name || '!'; RAISE EXCEPTION 'undone'; EXCEPTION WHEN raise_exception THEN NULL; END $$", Token);
        await database.Execute("VACUUM (FREEZE) strayed", Token);
        Assert.True(await database.Scalar<long>("SELECT count(*) FROM heap_page_items(get_raw_page('strayed', 0)) WHERE t_ctid <> format('(0,%s)', lp)::tid AND t_xmax = 0", Token) > 50,
            "no t_ctid is left over");

        Assert.Empty((await StorageWard.Examine(database, Token, only: "heap-pages")).Findings);
    }

    private async Task<TestDatabase> Database(int major)
    {
        var database = await servers.Cluster(major, Token);
        StateDirectory.Open(state);
        await database.Execute("""
            CREATE EXTENSION IF NOT EXISTS pageinspect;
            CREATE TABLE strayed (id int NOT NULL, code int NOT NULL, name text) WITH (autovacuum_enabled = off);
            INSERT INTO strayed SELECT i, i * 2, 'row ' || i FROM generate_series(1, 3000) i;
            CREATE INDEX strayed_id ON strayed (id);
            CREATE INDEX strayed_code ON strayed (code)
            """, Token);
        await database.Execute("VACUUM (FREEZE, ANALYZE) strayed", Token);
        return database;
    }

    private Treatment Treat(TestDatabase database) => new(database.ConnectionString, database.Cluster.DataDirectory, state)
    {
        Checks = ["pages", "heap-pages", "heap", "index-entries", "btree"],
        Policy = new Policy { Consent = true, Allow = Grade.Reversible },
        Includes = relation => relation.TableName == "strayed",
    };

    private static Task<string?> Filenodes(TestDatabase database) =>
        database.Scalar<string>("SELECT string_agg(relname || relfilenode, ',' ORDER BY relname) FROM pg_class WHERE relkind = 'i' AND relname LIKE 'strayed%'", Token);
}
