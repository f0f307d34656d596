using Kintsugi.Lab;
using Kintsugi.Pages;
using Kintsugi.Postgres.Tests.Checks.Storage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Postgres.Tests.Healing;
using Kintsugi.State;
using FileSurgery = Kintsugi.Postgres.Tests.Checks.Indexes.Surgery;

namespace Kintsugi.Postgres.Tests.Repairs.Pages;

/// <summary>One bit that rotted within a value: a person is shown which single bits explain the checksum, and approves the only one.</summary>
public sealed class BitRotTests(Servers servers) : IDisposable
{
    private const int Tables = 6, At = 8192 - 40;

    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-rot-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(state, recursive: true);

    private Treatment Treat(TestDatabase database)
    {
        StateDirectory.Open(state);
        return new Treatment(database.ConnectionString, database.Cluster.DataDirectory, state)
        {
            Checks = ["pages", "heap-pages"],
            Policy = new Policy { Consent = true, Allow = Grade.Reversible },
        };
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task One_rotten_bit_is_among_what_a_person_is_shown_and_only_a_single_explanation_can_be_approved(int major)
    {
        await using var database = await servers.Cluster(major, Token);
        var surgery = new FileSurgery(database);
        for (var i = 0; i < Tables; i++)
        {
            await database.Execute($"CREATE TABLE r_{i} AS SELECT n AS id, md5(n::text || '{i}') || md5('{i}' || n::text) AS body FROM generate_series(1, 300) n", Token);
            await surgery.On($"r_{i}", file => StorageWard.Alter(file, 1, seal: false, page => page[At] ^= 4), Token);
        }
        await database.Execute("VACUUM (FREEZE)", Token);
        var before = await database.Fingerprint(Token);
        await surgery.Operate(Token);
        Assert.Equal(Tables, (await Treat(database).Look(Token)).Findings.Count);

        var cases = await Treat(database).Run(Token);

        Assert.Equal(Tables, cases.Count);
        Assert.All(cases, done => Assert.Contains(done.Outcome is Outcome.Waiting ? $"(byte {At}:" : $"byte {At}, a bit of column 2",
            done.Outcome is Outcome.Waiting ? done.Plan!.Steps[0].Do : done.Outcome.Why!, StringComparison.Ordinal));
        var approved = await (Treat(database) with { Approve = true }).Run(Token);
        Assert.All(approved, done => Assert.True(done.Outcome is Outcome.Healed or Outcome.Escalated, $"{done.Case.Cause}: {done.Outcome.Word} {done.Outcome.Why}"));
        Assert.Equal(cases.Count(done => done.Outcome is Outcome.Waiting), approved.Count(done => done.Outcome is Outcome.Healed));
        // What could not be told apart is as it was found: the bit put back by hand makes all of it whole.
        var left = approved.Where(done => done.Outcome is Outcome.Escalated).Select(done => done.Case.Target.Object!).ToList();
        var last = new FileSurgery(database);
        foreach (var table in left)
            await last.On(table, file => StorageWard.Alter(file, 1, seal: false, page => page[At] ^= 4), Token);
        await last.Operate(Token);
        Assert.Empty((await Treat(database).Look(Token)).Findings);
        Assert.True(before.CompareWith(await database.Fingerprint(Token)).IsEmpty);
    }
}
