using System.Text;
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

/// <summary>A row that its indexes, generated columns and references contradict is put right; an index that is itself wrong is rebuilt, and the row left alone.</summary>
public sealed class RestoreValueTests(Servers servers) : IDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-values-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(state, recursive: true);

    private const string Films = """
        CREATE TABLE v_films (id int PRIMARY KEY, title text NOT NULL, note text,
          title_key text GENERATED ALWAYS AS (lower(title)) STORED, search tsvector GENERATED ALWAYS AS (to_tsvector('simple', title)) STORED);
        INSERT INTO v_films SELECT i, 'The Movie No. ' || i || ' of ' || md5(i::text) FROM generate_series(1, 800) i;
        CREATE INDEX v_films_lower ON v_films (lower(title));
        CREATE TABLE v_users (id int PRIMARY KEY, name text);
        INSERT INTO v_users SELECT i * 3, 'user ' || i FROM generate_series(1, 900) i;
        CREATE TABLE v_posts (id int PRIMARY KEY, user_id int NOT NULL CONSTRAINT v_posts_user REFERENCES v_users, body text);
        INSERT INTO v_posts SELECT i, 3 * (1 + i % 900), 'post ' || i FROM generate_series(1, 2700) i;
        CREATE INDEX v_posts_user_id ON v_posts (user_id);
        CREATE TABLE v_plain (id int PRIMARY KEY, code int NOT NULL);
        INSERT INTO v_plain SELECT i, i * 10 FROM generate_series(1, 900) i;
        CREATE INDEX v_plain_code ON v_plain (code)
        """;

    private async Task<TestDatabase> Database(int major)
    {
        var database = await servers.Cluster(major, Token);
        foreach (var statement in Films.Split(";\n"))
            await database.Execute(statement, Token);
        await database.Execute("VACUUM (FREEZE)", Token);
        return database;
    }

    private Treatment Treat(TestDatabase database, Grade allow = Grade.Reversible)
    {
        StateDirectory.Open(state);
        return new Treatment(database.ConnectionString, database.Cluster.DataDirectory, state)
        {
            Checks = ["heap", "index-entries", "btree", "generated", "foreign-key"],
            Policy = new Policy { Consent = true, Allow = allow },
        };
    }

    /// <summary>Flips bits of the bytes that are found within one row on its page.</summary>
    private static async Task Flip(TestDatabase database, string table, string row, byte[] within, int at, byte bits)
    {
        var surgery = new FileSurgery(database);
        var place = await surgery.PlaceOf(table, row, Token);
        await surgery.On(table, file => StorageWard.Alter(file, place.Block, seal: true, page =>
        {
            var line = LinePointer.Read(page, place.Item);
            var start = HeapTupleHeader.Read(page.AsSpan(line.Offset, line.Length)).DataStart;
            var found = page.AsSpan(line.Offset + start, line.Length - start).IndexOf(within);
            Assert.True(found >= 0, "the bytes to flip are not in the row");
            page[line.Offset + start + found + at] ^= bits;
        }), Token);
        await surgery.Operate(Token);
    }

    private static Task<string?> Filenodes(TestDatabase database) =>
        database.Scalar<string>("SELECT string_agg(relname || relfilenode, ',' ORDER BY relname) FROM pg_class WHERE relkind = 'i' AND oid > 16384", Token);

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_flipped_bit_of_a_base_column_is_put_back_and_no_index_is_built_anew(int major)
    {
        await using var database = await Database(major);
        var before = await database.Fingerprint(Token);
        var files = await Filenodes(database);
        await Flip(database, "v_films", "id = 77", Encoding.ASCII.GetBytes("The Movie"), at: 4, bits: 1);
        Assert.Equal("The Lovie No. 77", (await database.Scalar<string>("SELECT left(title, 16) FROM v_films WHERE id = 77", Token)));
        Assert.NotEmpty((await Treat(database).Look(Token)).Findings);

        var cases = await Treat(database).Run(Token);

        Assert.Equal("restore-value", Assert.Single(cases, done => done.Outcome is Outcome.Healed).Plan!.Repair);
        Assert.All(cases, done => Assert.True(done.Outcome is Outcome.Healed or Outcome.Transient, $"{done.Case.Cause}: {done.Outcome.Word} {done.Outcome.Why}"));
        Assert.Empty((await Treat(database).Look(Token)).Findings);
        Assert.True(before.CompareWith(await database.Fingerprint(Token)).IsEmpty);
        Assert.Equal(files, await Filenodes(database));
    }

    private const string Kinds = """
        CREATE TABLE v_kinds (id int PRIMARY KEY, amount numeric(12,2), ratio float8, digest bytea, host inet, code char(24) COLLATE "C",
          amount_twice numeric GENERATED ALWAYS AS (amount * 2) STORED, ratio_more float8 GENERATED ALWAYS AS (ratio + 1) STORED, digest_sum text GENERATED ALWAYS AS (md5(digest)) STORED,
          host_name text GENERATED ALWAYS AS (host(host)) STORED, code_upper text GENERATED ALWAYS AS (upper(code)) STORED);
        INSERT INTO v_kinds SELECT i, i * 10000 + 1234.56, i * 1.5, decode(md5(i::text), 'hex'), '10.1.0.0'::inet + i, 'Code of ' || i FROM generate_series(1, 900) i;
        INSERT INTO v_kinds (id, amount, ratio, digest, host, code) VALUES (1001, 'NaN', 'NaN', '', '2001:db8::1/64', ''), 
          (1002, 0, '-Infinity', NULL, '192.168.0.0/16', NULL), (1003, -0.01, '-0', '\x00', NULL, 'x');
        CREATE INDEX ON v_kinds (amount);
        CREATE INDEX ON v_kinds (ratio);
        CREATE INDEX ON v_kinds (digest);
        CREATE INDEX ON v_kinds (host);
        CREATE INDEX ON v_kinds (code)
        """;

    [Theory, MemberData(nameof(TestMajors.Wide), MemberType = typeof(TestMajors))]
    public async Task Numbers_bytes_addresses_and_padded_text_get_their_bit_back(int major)
    {
        await using var database = await servers.Cluster(major, Token);
        foreach (var statement in Kinds.Split(";\n"))
            await database.Execute(statement, Token);
        await database.Execute("VACUUM (FREEZE)", Token);
        Assert.Empty((await Treat(database).Look(Token)).Findings);
        var before = await database.Fingerprint(Token);
        var files = await Filenodes(database);
        await Flip(database, "v_kinds", "id = 100", [.. BitConverter.GetBytes((short)100), .. BitConverter.GetBytes((short)1234)], at: 2, bits: 1);
        await Flip(database, "v_kinds", "id = 200", BitConverter.GetBytes(300.0), at: 5, bits: 8);
        await Flip(database, "v_kinds", "id = 300", Convert.FromHexString("94f6d7e04a4d452035300f18b984988c"), at: 9, bits: 0x40);
        await Flip(database, "v_kinds", "id = 400", [10, 1, 1, 144], at: 3, bits: 2);
        await Flip(database, "v_kinds", "id = 500", Encoding.ASCII.GetBytes("Code of 500"), at: 5, bits: 1);
        Assert.Equal(5, before.CompareWith(await database.Fingerprint(Token)).Tables.Single().Changed.Count);

        var cases = await Treat(database).Run(Token);

        Assert.All(cases, done => Assert.True(done.Outcome is Outcome.Healed or Outcome.Transient, $"{done.Case.Cause}: {done.Outcome.Word} {done.Outcome.Why}"));
        Assert.Equal(5, cases.Count(done => done.Outcome is Outcome.Healed && done.Plan!.Repair == "restore-value"));
        Assert.True(before.CompareWith(await database.Fingerprint(Token)).IsEmpty);
        Assert.Equal(files, await Filenodes(database));
    }

    [Fact]
    public async Task A_row_of_a_large_table_is_found_by_the_sums_of_its_stretch()
    {
        await using var database = await servers.Cluster(TestMajors.Newest, Token);
        foreach (var statement in new[] { "CREATE TABLE v_large (id int NOT NULL, code int NOT NULL, twice int GENERATED ALWAYS AS (code * 2) STORED)",
            "INSERT INTO v_large SELECT i, i * 10 FROM generate_series(1, 310000) i", "CREATE INDEX v_large_code ON v_large (code)", "VACUUM (FREEZE, ANALYZE)" })
            await database.Execute(statement, Token);
        var before = await database.Scalar<string>("SELECT md5(string_agg(v_large::text, ',' ORDER BY ctid)) FROM v_large", Token);
        await Flip(database, "v_large", "id = 250000", [.. BitConverter.GetBytes(250000), .. BitConverter.GetBytes(2500000)], at: 6, bits: 4);
        // Without its name: the check of entries says how many differ, and not which.
        var treatment = Treat(database) with { Checks = ["heap", "index-entries", "btree"] };
        Assert.NotEmpty((await treatment.Look(Token)).Findings);

        var cases = await treatment.Run(Token);

        Assert.Equal("restore-value", Assert.Single(cases, done => done.Outcome is Outcome.Healed).Plan!.Repair);
        Assert.Equal(before, await database.Scalar<string>("SELECT md5(string_agg(v_large::text, ',' ORDER BY ctid)) FROM v_large", Token));
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_parent_whose_key_was_flipped_gets_it_back_and_costs_no_child(int major)
    {
        await using var database = await Database(major);
        var before = await database.Fingerprint(Token);
        // 300 becomes 65836, which nobody is: the index and three children know better.
        await Flip(database, "v_users", "id = 300", BitConverter.GetBytes(300), at: 2, bits: 1);
        Assert.Equal(1, await database.Scalar<long>("SELECT count(*) FROM v_users WHERE id + 0 = 300 + 65536", Token));

        var cases = await Treat(database).Run(Token);

        Assert.Equal("restore-value", Assert.Single(cases, done => done.Outcome is Outcome.Healed).Plan!.Repair);
        Assert.Empty((await Treat(database).Look(Token)).Findings);
        Assert.True(before.CompareWith(await database.Fingerprint(Token)).IsEmpty);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_flipped_reference_is_put_back_and_its_row_stays(int major)
    {
        await using var database = await Database(major);
        var before = await database.Fingerprint(Token);
        var parent = (await database.Scalar<int>("SELECT user_id FROM v_posts WHERE id = 1200", Token));
        await Flip(database, "v_posts", "id = 1200", BitConverter.GetBytes(parent), at: 3, bits: 0x10);
        Assert.NotEqual(parent, await database.Scalar<int>("SELECT user_id FROM v_posts WHERE id = 1200", Token));

        var cases = await Treat(database).Run(Token);

        Assert.Equal("restore-value", Assert.Single(cases, done => done.Outcome is Outcome.Healed).Plan!.Repair);
        Assert.Empty((await Treat(database).Look(Token)).Findings);
        Assert.True(before.CompareWith(await database.Fingerprint(Token)).IsEmpty);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Where_only_an_index_speaks_a_person_decides_and_the_index_is_kept(int major)
    {
        await using var database = await Database(major);
        var before = await database.Fingerprint(Token);
        var files = await Filenodes(database);
        await Flip(database, "v_plain", "id = 400", BitConverter.GetBytes(4000), at: 2, bits: 4);
        var damaged = await database.Fingerprint(Token);
        Assert.False(before.CompareWith(damaged).IsEmpty);

        var waiting = Assert.IsType<Outcome.Waiting>(Assert.Single(await Treat(database).Run(Token)).Outcome);

        Assert.Contains("only index entries say that code of row", waiting.Reason, StringComparison.Ordinal);
        Assert.Equal(files, await Filenodes(database));
        Assert.True(damaged.CompareWith(await database.Fingerprint(Token)).IsEmpty);
        Assert.IsType<Outcome.Healed>(Assert.Single(await (Treat(database) with { Approve = true }).Run(Token)).Outcome);
        Assert.True(before.CompareWith(await database.Fingerprint(Token)).IsEmpty);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task An_index_that_is_itself_wrong_is_rebuilt_and_its_rows_are_left_alone(int major)
    {
        await using var database = await Database(major);
        var before = await database.Fingerprint(Token);
        var surgery = new FileSurgery(database);
        // One entry leads to another row, which keeps its own; another has a key that is wrong by a bit, at the same place in the order.
        var from = await surgery.PlaceOf("v_posts", "id = 1500", Token);
        var to = await surgery.PlaceOf("v_posts", "id = 77", Token);
        await surgery.On("v_posts_user_id", file => FileSurgery.Redirect(file, IndexKind.Btree, from, to), Token);
        var row = await surgery.PlaceOf("v_plain", "id = 400", Token);
        await surgery.On("v_plain_code", file =>
        {
            var (block, entry) = FileSurgery.Find(file, IndexKind.Btree, row);
            StorageWard.Alter(file, block, seal: true, page => page[LinePointer.Read(page, entry.Item).Offset + 8] ^= 1);
        }, Token);
        await surgery.Operate(Token);
        Assert.NotEmpty((await Treat(database).Look(Token)).Findings);

        var cases = await Treat(database).Run(Token);

        Assert.Equal(["reindex", "reindex"], cases.Where(done => done.Outcome is Outcome.Healed).Select(done => done.Plan!.Repair));
        Assert.Empty((await Treat(database).Look(Token)).Findings);
        Assert.True(before.CompareWith(await database.Fingerprint(Token)).IsEmpty);
    }

    [Fact]
    public async Task A_function_that_changed_is_no_damage_of_the_rows()
    {
        await using var database = await Database(TestMajors.Newest);
        await database.Execute("CREATE FUNCTION shape(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 / 7'", Token);
        await database.Execute("CREATE INDEX v_plain_shape ON v_plain (shape(code))", Token);
        await database.Execute("CREATE OR REPLACE FUNCTION shape(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT CASE WHEN $1 = 4000 THEN -5 ELSE $1 / 7 END'", Token);
        var before = await database.Fingerprint(Token);

        var healed = Assert.Single(await Treat(database).Run(Token));

        Assert.IsType<Outcome.Healed>(healed.Outcome);
        Assert.Equal("reindex", healed.Plan!.Repair);
        Assert.True(before.CompareWith(await database.Fingerprint(Token)).IsEmpty);
    }
}
