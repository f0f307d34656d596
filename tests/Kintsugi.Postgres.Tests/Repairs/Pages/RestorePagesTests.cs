using System.Security.Cryptography;
using Kintsugi.Pages;
using Kintsugi.Postgres.Tests.Checks.Storage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Postgres.Tests.Healing;
using Kintsugi.State;
using FileSurgery = Kintsugi.Postgres.Tests.Checks.Indexes.Surgery;

namespace Kintsugi.Postgres.Tests.Repairs.Pages;

/// <summary>Pages that nothing on them explains any more come back from the WAL, with everything that was changed since; what the WAL does not hold goes to a person.</summary>
public sealed class RestorePagesTests(Servers servers) : IDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-wal-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(state, recursive: true);

    private Treatment Treat(TestDatabase database)
    {
        StateDirectory.Open(state);
        return new Treatment(database.ConnectionString, database.Cluster.DataDirectory, state) { Checks = ["pages", "heap-pages", "heap"] };
    }

    /// <summary>Random bytes: nothing about the page can be guessed from the rest of it.</summary>
    private static void Scramble(byte[] page) => RandomNumberGenerator.Fill(page.AsSpan(PageFormat.Size / 2));

    [Theory, MemberData(nameof(TestMajors.Wide), MemberType = typeof(TestMajors))]
    public async Task Rotten_zeroed_and_exchanged_pages_come_back_as_the_WAL_has_them(int major)
    {
        await using var database = await servers.Cluster(major, Token);
        await database.Execute("ALTER SYSTEM SET wal_keep_size = '256MB'", Token);
        await database.Execute("SELECT pg_reload_conf()", Token);
        foreach (var table in new[] { "imaged", "zeroed", "exchanged", "future", "sound" })
            await database.Execute($"CREATE TABLE {table} AS SELECT n AS id, md5(n::text) AS body, repeat(md5(n::text), n % 9) AS more FROM generate_series(1, 2000) n", Token);
        await database.Execute("CREATE TABLE far (id integer, body text); ALTER TABLE far ALTER body SET STORAGE EXTERNAL; "
            + "INSERT INTO far SELECT n, (SELECT string_agg(md5((n * i)::text), '') FROM generate_series(1, 200) i) FROM generate_series(1, 40) n", Token);
        await database.Execute("VACUUM (FREEZE)", Token);
        foreach (var table in new[] { "zeroed", "exchanged", "future" })
            await database.Execute($"UPDATE {table} SET body = 'changed ' || id WHERE id % 7 = 0; DELETE FROM {table} WHERE id % 11 = 0", Token);
        await database.Execute("CHECKPOINT", Token);
        foreach (var table in new[] { "zeroed", "exchanged", "future" })
            await database.Execute($"UPDATE {table} SET body = 'again ' || id WHERE id % 13 = 0; INSERT INTO {table} SELECT n, 'late', '' FROM generate_series(3000, 3100) n", Token);
        await database.Execute("VACUUM zeroed", Token);
        var before = await database.Fingerprint(Token);
        var surgery = new FileSurgery(database);
        await surgery.On("imaged", file => StorageWard.Alter(file, 3, seal: false, Scramble), Token);
        await surgery.On("zeroed", file => FileSurgery.Zero(file, 2), Token);
        await surgery.On("exchanged", file => StorageWard.WritePage(file, 1, StorageWard.ReadPage(file, 4)), Token);
        await surgery.On("future", file => StorageWard.Alter(file, 0, seal: true, page => Age(page)), Token);
        var toast = await database.Scalar<string>("SELECT reltoastrelid::regclass::text FROM pg_class WHERE relname = 'far'", Token);
        await surgery.On(toast!, file => StorageWard.Alter(file, 5, seal: false, Scramble), Token);
        await surgery.Operate(Token);
        var found = (await Treat(database).Look(Token)).Findings.Where(finding => !finding.Fault.Advice).ToList();
        Assert.Equal(["exchanged", "far", "future", "imaged", "zeroed"], found.Select(finding => finding.Target.Relation!).Distinct().Order());

        var cases = await Treat(database).Run(Token);

        // What reading the table said of its TOAST page is gone once that page is there.
        Assert.All(cases, done => Assert.True(done.Outcome is Outcome.Healed or Outcome.Transient, $"{done.Case.Cause} {done.Case.Target.Name}: {done.Outcome.Word} {done.Outcome.Why}"));
        Assert.True(cases.Count(done => done.Plan?.Repair == "restore-pages") >= 4, string.Join(", ", cases.Select(done => $"{done.Case.Target.Name} {done.Plan?.Repair}")));
        Assert.DoesNotContain((await Treat(database).Look(Token)).Findings, finding => !finding.Fault.Advice);
        var difference = before.CompareWith(await database.Fingerprint(Token));
        Assert.True(difference.IsEmpty, difference.ToString());
    }

    /// <summary>The first row was written by a transaction that is yet to come.</summary>
    private static void Age(byte[] page)
    {
        for (var item = 1; item <= PageHeader.Read(page).ItemCount; item++)
            if (LinePointer.Read(page, item) is { State: LinePointerState.Normal } line)
            {
                BitConverter.TryWriteBytes(page.AsSpan(line.Offset), 900_000_000u);
                BitConverter.TryWriteBytes(page.AsSpan(line.Offset + 20), (ushort)(BitConverter.ToUInt16(page, line.Offset + 20) & ~0x0300));
                return;
            }
    }

    [Fact]
    public async Task What_the_WAL_does_not_hold_goes_to_a_person_with_every_way_and_what_it_would_lose()
    {
        await using var database = await servers.Cluster(TestMajors.Newest, Token);
        await database.Execute("CREATE TABLE old AS SELECT n AS id, md5(n::text) AS body FROM generate_series(1, 2000) n", Token);
        await database.Execute("CREATE UNLOGGED TABLE unlogged AS SELECT n AS id, md5(n::text) AS body FROM generate_series(1, 2000) n", Token);
        await database.Execute("VACUUM (FREEZE)", Token);
        for (var i = 0; i < 4; i++)
            foreach (var statement in new[] { "CREATE TABLE filler AS SELECT 1", "DROP TABLE filler", "SELECT pg_switch_wal()", "CHECKPOINT" })
                await database.Execute(statement, Token);
        var surgery = new FileSurgery(database);
        foreach (var table in new[] { "old", "unlogged" })
            await surgery.On(table, file => StorageWard.Alter(file, 3, seal: false, Scramble), Token);
        await surgery.Operate(Token);

        var cases = await Treat(database).Run(Token);

        Assert.Equal(2, cases.Count);
        var old = Assert.IsType<Outcome.Escalated>(cases.Single(done => done.Case.Target.Relation == "old").Outcome);
        Assert.Contains("block 3: the WAL in pg_wal", old.Why, StringComparison.Ordinal);
        Assert.Contains("dd if=COPY/base/", old.Why, StringComparison.Ordinal);
        Assert.Contains("WAL says nothing of unlogged tables", cases.Single(done => done.Case.Target.Relation == "unlogged").Outcome.Why, StringComparison.Ordinal);
    }
}
