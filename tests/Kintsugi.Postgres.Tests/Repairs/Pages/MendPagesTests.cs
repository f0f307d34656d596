using System.Buffers.Binary;
using Kintsugi.Lab;
using Kintsugi.Pages;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Repairs.Pages;
using Kintsugi.Postgres.Tests.Checks.Storage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Postgres.Tests.Healing;
using Kintsugi.State;
using FileSurgery = Kintsugi.Postgres.Tests.Checks.Indexes.Surgery;

namespace Kintsugi.Postgres.Tests.Repairs.Pages;

/// <summary>Fields of pages put back under a running server, row-exact; and where more than one answer fits, nothing is written.</summary>
public sealed class MendPagesTests(Servers servers) : IDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-mends-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(state, recursive: true);

    private Treatment Treat(TestDatabase database, Grade allow = Grade.Reversible)
    {
        StateDirectory.Open(state);
        return new Treatment(database.ConnectionString, database.Cluster.DataDirectory, state)
        {
            Checks = ["pages", "heap-pages"],
            Policy = new Policy { Consent = true, Allow = allow },
        };
    }

    private const string Fields = """
        CREATE TABLE f_hoff AS SELECT i AS id, repeat('x', 50 + i % 40) AS body, i * 1.5 AS price FROM generate_series(1, 400) i;
        CREATE TABLE f_null AS TABLE f_hoff; CREATE TABLE f_natts AS TABLE f_hoff; CREATE TABLE f_length AS TABLE f_hoff;
        CREATE TABLE f_special AS TABLE f_hoff; CREATE TABLE f_version AS TABLE f_hoff; CREATE TABLE f_upper AS TABLE f_hoff;
        CREATE TABLE f_flags AS TABLE f_hoff; CREATE TABLE f_lower (id int PRIMARY KEY, body text); INSERT INTO f_lower SELECT id, body FROM f_hoff;
        CREATE TABLE f_offset (id int PRIMARY KEY, body text); INSERT INTO f_offset SELECT id, body FROM f_hoff;
        CREATE TABLE f_pointer (id int PRIMARY KEY, body text); INSERT INTO f_pointer SELECT id, body FROM f_hoff
        """;

    private static void Tuple(byte[] page, int item, Action<Span<byte>> change)
    {
        var line = LinePointer.Read(page, item);
        change(page.AsSpan(line.Offset, line.Length));
    }

    private static void Put(byte[] page, int at, int value) => BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(at), (ushort)value);

    private static void Pointer(byte[] page, int item, Func<LinePointer, LinePointer> change) =>
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(LinePointer.Position(item)), change(LinePointer.Read(page, item)).Encode());

    private static readonly (string Table, Action<byte[]> Wound)[] Wounds =
    [
        ("f_hoff", page => Tuple(page, 5, tuple => tuple[22] = 99)),
        ("f_null", page => Tuple(page, 5, tuple => tuple[20] ^= 1)),
        ("f_natts", page => Tuple(page, 5, tuple => tuple[18] = 7)),
        ("f_length", page => Pointer(page, 5, line => line with { Length = line.Length - 30 })),
        ("f_offset", page => Pointer(page, 5, line => line with { Offset = line.Offset + 8 })),
        ("f_pointer", page => Pointer(page, 5, _ => default)),
        ("f_special", page => Put(page, 16, 8100)),
        ("f_version", page => Put(page, 18, 0x2009)),
        ("f_upper", page => Put(page, 14, 0)),
        ("f_flags", page => Put(page, 10, 0x4000)),
        ("f_lower", page => Put(page, 12, PageHeader.Read(page).Lower - 8)),
    ];

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Fields_are_put_back_as_they_were_byte_for_byte(int major)
    {
        await using var database = await servers.Cluster(major, Token);
        foreach (var statement in Fields.Split(';'))
            await database.Execute(statement, Token);
        await database.Execute("VACUUM (FREEZE)", Token);
        var before = await database.Fingerprint(Token);
        var surgery = new FileSurgery(database);
        var pages = new Dictionary<string, byte[]>();
        foreach (var (table, wound) in Wounds)
            await surgery.On(table, file =>
            {
                pages[table] = StorageWard.ReadPage(file, 1);
                StorageWard.Alter(file, 1, seal: true, wound);
            }, Token);
        await surgery.Operate(Token);
        var treatment = Treat(database);
        Assert.Equal(Wounds.Length, (await treatment.Look(Token)).Findings.Select(finding => finding.Target.Object).Distinct().Count());

        var cases = await treatment.Run(Token);

        Assert.All(cases, done => Assert.True(done.Outcome is Outcome.Healed or Outcome.Transient, $"{done.Case.Cause}: {done.Outcome.Word} {done.Outcome.Why}"));
        Assert.All(cases.Where(done => done.Outcome is Outcome.Healed), done => Assert.Equal("mend-pages", done.Plan!.Repair));
        Assert.Empty((await treatment.Look(Token)).Findings);
        var difference = before.CompareWith(await database.Fingerprint(Token));
        Assert.True(difference.IsEmpty, string.Join("; ", difference.Tables));
        foreach (var (table, page) in pages)
            Assert.Equal(Without(page), Without(StorageWard.ReadPage(await StorageWard.FileOf(database, table, Token), 1)));
    }

    /// <summary>The hash of a page but for its LSN, checksum and the hint of free line pointers, which the server sets as it likes.</summary>
    private static string Without(byte[] page)
    {
        var copy = page.ToArray();
        copy.AsSpan(0, 12).Clear();
        return Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(copy));
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_row_whose_key_was_given_away_meanwhile_waits_for_a_person(int major)
    {
        await using var database = await servers.Cluster(major, Token);
        await database.Execute("CREATE TABLE once (id int PRIMARY KEY, body text); INSERT INTO once SELECT i, repeat('x', 60) FROM generate_series(1, 500) i", Token);
        var surgery = new FileSurgery(database);
        var place = await surgery.PlaceOf("once", "id = 7", Token);
        await surgery.On("once", file => FileSurgery.LosePointer(file, place), Token);
        await surgery.Operate(Token);
        Assert.Equal(0, await database.Scalar<long>("SELECT count(*) FROM once WHERE id + 0 = 7", Token));
        await database.Execute("INSERT INTO once VALUES (7, 'the second')", Token);
        await database.Execute("CHECKPOINT", Token);

        var cases = await Treat(database).Run(Token);

        var waiting = Assert.IsType<Outcome.Waiting>(Assert.Single(cases).Outcome);
        Assert.Contains("once_pkey leads from the same key", waiting.Reason, StringComparison.Ordinal);
        Assert.Equal("the second", await database.Scalar<string>("SELECT string_agg(body, ',') FROM once WHERE id + 0 = 7", Token));
    }

    [Fact]
    public async Task A_row_that_was_killed_on_purpose_is_not_brought_back()
    {
        await using var database = await servers.Cluster(TestMajors.Newest, Token);
        await database.Execute("CREATE TABLE killed (id int, body text); INSERT INTO killed SELECT i, repeat('x', 60) FROM generate_series(1, 500) i", Token);
        await database.Execute("SELECT heap_force_kill('killed', ARRAY['(1,5)'::tid])", Token);
        await database.Execute("CHECKPOINT", Token);
        var before = StorageWard.ReadPage(await StorageWard.FileOf(database, "killed", Token), 1);

        var cases = await Treat(database).Run(Token);

        Assert.DoesNotContain(cases, done => done.Outcome is Outcome.Healed);
        Assert.Equal(before, StorageWard.ReadPage(await StorageWard.FileOf(database, "killed", Token), 1));
        Assert.Equal(499, await database.Scalar<long>("SELECT count(*) FROM killed", Token));
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Writers_go_on_while_a_page_is_mended_and_lose_nothing(int major)
    {
        await using var database = await servers.Cluster(major, Token);
        await database.Execute("CREATE TABLE busy (id int PRIMARY KEY, hits int NOT NULL DEFAULT 0, body text) WITH (fillfactor = 50, autovacuum_enabled = off); "
            + "INSERT INTO busy SELECT i, 0, repeat('x', 100) FROM generate_series(1, 2000) i", Token);
        var surgery = new FileSurgery(database);
        var place = await surgery.PlaceOf("busy", "id = 900", Token);
        await surgery.On("busy", file => StorageWard.Alter(file, place.Block, seal: true, page => Tuple(page, place.Item, tuple => tuple[22] = 99)), Token);
        await surgery.Operate(Token);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var written = 0;
        // Rows of other pages: a backend that reads the damaged row may end all.
        var writer = Task.Run(async () =>
        {
            for (; !end.IsCancellationRequested; written++)
                await database.Execute($"UPDATE busy SET hits = hits + 1 WHERE id = {1 + (written % 700)}", Token);
        }, Token);

        var cases = await Treat(database).Run(Token);

        await end.CancelAsync();
        await writer;
        Assert.IsType<Outcome.Healed>(Assert.Single(cases).Outcome);
        Assert.True(written > 0);
        Assert.Equal(written, await database.Scalar<long>("SELECT sum(hits) FROM busy", Token));
        Assert.Equal(2000, await database.Scalar<long>("SELECT count(*) FROM busy WHERE length(body) = 100", Token));
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task What_was_mended_can_be_undone_while_the_rest_of_the_page_lives_on(int major)
    {
        await using var database = await servers.Cluster(major, Token);
        await database.Execute("CREATE TABLE back (id int, body text) WITH (autovacuum_enabled = off); "
            + "INSERT INTO back SELECT i, repeat('x', 60) FROM generate_series(1, 500) i", Token);
        var surgery = new FileSurgery(database);
        await surgery.On("back", file => StorageWard.Alter(file, 1, seal: true, page => Tuple(page, 5, tuple => tuple[22] = 99)), Token);
        await surgery.Operate(Token);
        var treatment = Treat(database);
        var healed = Assert.Single(await treatment.Run(Token));
        Assert.IsType<Outcome.Healed>(healed.Outcome);
        var place = await database.Scalar<string>("UPDATE back SET body = 'new' WHERE ctid = '(1,7)' RETURNING ctid::text", Token);
        await using var ledger = SqliteLedger.Open(treatment.Ledger);
        var steps = PageUndo.Of(await ledger.FactsOf(healed.Case.Id, Token));
        await using var factory = StorageWard.Factory(database);
        var server = (await Kintsugi.Postgres.Sessions.PatientSource.Connect(
            factory, [database.Name], null, null, new Pace(null, TimeProvider.System), Token)).Server;

        Assert.Equal(1, await new PageUndo(factory, new OperatingRoom(factory, server, TimeProvider.System), database.Name).Undo(steps, Token));

        var finding = Assert.Single((await treatment.Look(Token)).Findings);
        Assert.Equal((1, 5), ((int)finding.Target.Block!, finding.Target.Offset));
        Assert.Equal("new", await database.Scalar<string>($"SELECT body FROM back WHERE ctid = '{place}'", Token));
    }

    [Fact]
    public async Task A_page_is_written_through_the_server_where_its_files_are_out_of_reach()
    {
        await using var database = await servers.Cluster(TestMajors.Oldest, Token);
        await database.Execute("CREATE TABLE far AS SELECT i AS id FROM generate_series(1, 5000) i", Token);
        var file = await StorageWard.FileOf(database, "far", Token);
        var path = (await database.Scalar<string>("SELECT pg_relation_filepath('far')", Token))!;
        var length = new FileInfo(file).Length;
        var page = StorageWard.ReadPage(file, 3);
        page[8000] ^= 1;
        await using var factory = StorageWard.Factory(database);
        await using var session = await factory.OpenWrite(database.Name, Token);

        await new PageFile.ThroughServer(session).Write(path, 3, page, Token);

        Assert.Equal(page, StorageWard.ReadPage(file, 3));
        Assert.Equal(length, new FileInfo(file).Length);
        Assert.Equal(page, await new PageFile.ThroughServer(session).Read(path, 3, Token));
        Assert.Null(await new PageFile.ThroughServer(session).Read(path, 100_000, Token));
    }
}
