using System.Security.Cryptography;
using Kintsugi.Pages;
using Kintsugi.Pages.Files;
using Kintsugi.Postgres.Tests.Checks.Storage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Postgres.Tests.Healing;
using Kintsugi.State;
using FileSurgery = Kintsugi.Postgres.Tests.Checks.Indexes.Surgery;

namespace Kintsugi.Postgres.Tests.Repairs.Pages;

/// <summary>A sequence whose one page is lost stays the same object and goes on behind what was given; where nothing says what that was, a person is asked.</summary>
public sealed class RebuildSequenceTests(Servers servers) : IDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-sequence-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(state, recursive: true);

    private Treatment Treat(TestDatabase database)
    {
        StateDirectory.Open(state);
        return new Treatment(database.ConnectionString, database.Cluster.DataDirectory, state) { Checks = ["pages", "sequence"] };
    }

    private static async Task Prepare(TestDatabase database)
    {
        await database.Execute("""
            CREATE TABLE rotten (id serial PRIMARY KEY, body text);
            CREATE TABLE zeroed (id bigint GENERATED ALWAYS AS IDENTITY (INCREMENT 3) PRIMARY KEY, body text);
            CREATE TABLE read (id serial PRIMARY KEY, body text);
            CREATE SEQUENCE alone INCREMENT 5;
            INSERT INTO rotten (body) SELECT 'x' FROM generate_series(1, 200);
            INSERT INTO zeroed (body) SELECT 'x' FROM generate_series(1, 200);
            INSERT INTO read (body) SELECT 'x' FROM generate_series(1, 200);
            DELETE FROM read WHERE id > 20;
            SELECT nextval('alone') FROM generate_series(1, 20);
            GRANT USAGE ON rotten_id_seq TO PUBLIC
            """, Token);
        // The server's own page, byte for byte: what is written has to be no other.
        var page = StorageWard.ReadPage(await StorageWard.FileOf(database, "alone", Token), 0);
        var own = SequencePage.Read(page, [])!.Value.Write(PageHeader.Read(page).Lsn);
        PageChecksum.Seal(own, 0);
        Assert.Equal(page, own);
    }

    private static async Task LoseWal(TestDatabase database)
    {
        for (var i = 0; i < 4; i++)
            foreach (var statement in new[] { "CREATE TABLE filler AS SELECT 1", "DROP TABLE filler", "SELECT pg_switch_wal()", "CHECKPOINT" })
                await database.Execute(statement, Token);
    }

    private static Task<string?> Objects(TestDatabase database) => database.Scalar<string>("""
        SELECT string_agg(format('%s %s %s %s %s', c.oid, c.relname, c.relowner, c.relacl, q), '; ' ORDER BY c.oid)
        FROM pg_class c JOIN pg_sequence q ON q.seqrelid = c.oid WHERE c.relname ~ '^(rotten|zeroed|read|alone)'
        """, Token);

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_lost_page_is_made_anew_behind_the_last_value_in_use(int major)
    {
        await using var database = await servers.Cluster(major, Token);
        await Prepare(database);
        await LoseWal(database);
        var (objects, before) = (await Objects(database), await database.Fingerprint(Token));
        var surgery = new FileSurgery(database);
        await surgery.On("rotten_id_seq", file => StorageWard.Alter(file, 0, seal: false, page => RandomNumberGenerator.Fill(page)), Token);
        await surgery.On("zeroed_id_seq", file => FileSurgery.Zero(file, 0), Token);
        await surgery.On("read_id_seq", file => StorageWard.Alter(file, 0, seal: false, page => page[18] = 0x77), Token);
        await surgery.Operate(Token);
        await Assert.ThrowsAnyAsync<Exception>(() => database.Execute("INSERT INTO rotten (body) VALUES ('no')", Token));
        await Assert.ThrowsAnyAsync<Exception>(() => database.Execute("INSERT INTO zeroed (body) VALUES ('no')", Token));

        var cases = await Treat(database).Run(Token);

        Assert.Equal(3, cases.Count(done => done.Plan?.Repair == "rebuild-sequence"));
        Assert.All(cases, done => Assert.True(done.Outcome is Outcome.Healed or Outcome.Transient, $"{done.Case.Target.Name}: {done.Outcome.Word} {done.Outcome.Why}"));
        Assert.DoesNotContain((await Treat(database).Look(Token)).Findings, finding => !finding.Fault.Advice);
        Assert.Equal(objects, await Objects(database));
        Assert.True(before.CompareWith(await database.Fingerprint(Token)).IsEmpty);
        Assert.Equal(200 + 32 + 1, await database.Scalar<int>("INSERT INTO rotten (body) VALUES ('next') RETURNING id", Token));
        Assert.Equal(1 + (199 * 3) + (33 * 3), await database.Scalar<long>("INSERT INTO zeroed (body) VALUES ('next') RETURNING id", Token));
        // The page still said that 200 was given, although no row has it any more.
        Assert.True(await database.Scalar<int>("INSERT INTO read (body) VALUES ('next') RETURNING id", Token) > 200);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task The_WAL_knows_the_value_even_of_one_that_no_column_uses(int major)
    {
        await using var database = await servers.Cluster(major, Token);
        await database.Execute("ALTER SYSTEM SET wal_keep_size = '256MB'", Token);
        await database.Execute("SELECT pg_reload_conf()", Token);
        await Prepare(database);
        var surgery = new FileSurgery(database);
        await surgery.On("alone", file => FileSurgery.Zero(file, 0), Token);
        await surgery.Operate(Token);

        var done = Assert.Single(await Treat(database).Run(Token), done => done.Outcome is Outcome.Healed);

        Assert.Equal("restore-pages", done.Plan?.Repair);
        Assert.True(await database.Scalar<long>("SELECT nextval('alone')", Token) > 1 + (19 * 5));
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task One_that_nothing_tells_of_waits_for_a_person_and_then_gives_nothing_until_it_is_set(int major)
    {
        await using var database = await servers.Cluster(major, Token);
        await Prepare(database);
        await LoseWal(database);
        var surgery = new FileSurgery(database);
        await surgery.On("alone", file => FileSurgery.Zero(file, 0), Token);
        await surgery.Operate(Token);

        var waiting = Assert.Single(await Treat(database).Run(Token), done => done.Outcome is Outcome.Waiting);

        Assert.Contains("no column takes its values from it", waiting.Outcome.Why, StringComparison.Ordinal);
        var cases = await (Treat(database) with { Approve = true }).Run(Token);
        Assert.Contains(cases, done => done is { Outcome: Outcome.Healed, Plan.Repair: "rebuild-sequence" });
        await Assert.ThrowsAnyAsync<Exception>(() => database.Scalar<long>("SELECT nextval('alone')", Token));
        await database.Execute("SELECT setval('alone', 96)", Token);
        Assert.Equal(101L, await database.Scalar<long>("SELECT nextval('alone')", Token));
    }
}
