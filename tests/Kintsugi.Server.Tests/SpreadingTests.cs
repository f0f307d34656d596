using Kintsugi.Hosting;
using Kintsugi.Lab;
using Kintsugi.Postgres;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Server.Tests;

/// <summary>The large pieces of one look are shared by the nodes, whichever of them dies.</summary>
public sealed class SpreadingTests(Servers servers)
{
    /// <summary>Copies of one golden cluster have one system identifier: the ledger's server is a copy of another.</summary>
    private static readonly ClusterOptions OfItsOwn = new() { Checksums = false };

    private static bool All { get; } = Environment.GetEnvironmentVariable("KINTSUGI_TEST_ALL") == "1";

    private const string InHand = "FROM kintsugi_state.units WHERE node IS NOT NULL AND answer IS NULL";
    private const string Ended = "SELECT max(message) FROM kintsugi_state.runs WHERE job = 'db.index_check' AND state = 'done'";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_nodes_share_a_look_within_its_sessions_and_find_what_one_finds()
    {
        await using var ward = await Ward.Open(servers, TestMajors.Newest);
        var (ledger, gates) = (ward.Ledger, ward.Gates);
        await gates.Shut(1);
        await gates.Shut(2);
        using var sampled = new CancellationTokenSource();
        var most = gates.MostSessions(sampled.Token);
        await ward.Begin();
        await ward.First.Until("each has a unit in hand", async () => await ledger.Scalar<long>($"SELECT count(DISTINCT node) {InHand}", Stop) == 2);
        await ward.First.Until("both read", async () => await gates.WaitingAt(1) + await gates.WaitingAt(2) == 2);
        await gates.Open(1);
        await gates.Open(2);
        await ward.First.Until("it ends", async () => await ledger.Scalar<string>(Ended, Stop) is not null);
        await sampled.CancelAsync();
        Assert.Equal(2, await most);

        var shared = await ward.Verdicts();
        var case1 = Assert.Single(await ward.First.Cases());
        Assert.Equal(GatedIndexes.Injured, case1.Object);
        var listed = await ward.First.Run("jobs", "-c", ward.First.ConfigurationFile);
        Assert.Contains($" by {ward.First.Node}", listed.Out, StringComparison.Ordinal);
        Assert.Contains($" by {ward.Second.Node}", listed.Out, StringComparison.Ordinal);
        using var api = new Api($"http://127.0.0.1:{ward.First.Port}");
        var units = (await api.Get("jobs/runs")).Body.GetProperty("runs").EnumerateArray().First(run => run.GetProperty("job").GetString() == "db.index_check")
            .GetProperty("units");
        Assert.All(new[] { ward.First, ward.Second }, node => Assert.True(units.GetProperty(node.Node).GetInt64() > 0));
        Assert.All(new[] { await ward.First.Metrics(), await ward.Second.Metrics() }, text => Assert.Matches("kintsugi_units_total\\{[^}]*\\} [1-9]", text));
        Assert.Equal(0, await ledger.Scalar<long>("SELECT count(*) FROM kintsugi_state.units WHERE look LIKE 'db.index_check%'", Stop));

        await ward.Second.Signal("TERM");
        Assert.Equal(0, await ward.Second.End());
        await ledger.Execute("DELETE FROM kintsugi_state.runs WHERE job = 'db.index_check'", Stop);
        await ward.Begin();
        await ward.First.Until("one node alone ends it", async () => await ledger.Scalar<string>(Ended, Stop) is not null);
        Assert.Equal(shared, await ward.Verdicts());
        Assert.Equal(case1.Id, Assert.Single(await ward.First.Cases()).Id);
    }

    [Fact]
    public async Task A_node_that_sleeps_loses_its_unit_and_its_session_and_says_nothing_of_it_later()
    {
        Assert.SkipUnless(All, "takes half a minute: ./test --all");
        await using var ward = await Ward.Open(servers, TestMajors.Newest);
        var (ledger, gates) = (ward.Ledger, ward.Gates);
        await gates.Shut(1);
        await gates.Shut(2);
        await ward.Begin();
        await ward.First.Until("both read", async () => await gates.WaitingAt(1) + await gates.WaitingAt(2) == 2);
        var (leader, helper) = await ward.Roles();
        await helper.Signal("STOP");
        // Which gate is whose is seen from the sessions; the stopped node's reads on until the leader ends it.
        var leadersGate = await gates.WaitingAt(1, (await ledger.Scalar<string>($"SELECT backend {InHand} AND node = '{leader.Node}'", Stop))!) == 1 ? 1 : 2;
        await gates.Open(leadersGate);
        await leader.Until("the leader has taken the unit", async () => await ledger.Scalar<long>($"SELECT count(*) {InHand} AND node = '{helper.Node}'", Stop) == 0
            && await gates.WaitingAt(3 - leadersGate) == 1);
        Assert.Equal(1, await gates.SessionsNow());
        await helper.Signal("CONT");
        await gates.Open(3 - leadersGate);
        await leader.Until("it ends", async () => await ledger.Scalar<string>(Ended, Stop) is not null);
        Assert.Equal(GatedIndexes.Injured, Assert.Single(await leader.Cases()).Object);
        var units = await ledger.Scalar<string>("SELECT units FROM kintsugi_state.runs WHERE job = 'db.index_check' AND state = 'done'", Stop);
        Assert.Contains(leader.Node, units, StringComparison.Ordinal);
        await helper.Until("the one that slept goes on", async () => (await helper.Metrics()).Length > 0);
    }

    [Theory]
    [MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task What_a_killed_node_had_in_hand_is_done_by_the_other_and_what_was_answered_stays(int major)
    {
        Assert.SkipUnless(All || major == TestMajors.Newest, "half a minute for each version: ./test --all");
        await using var ward = await Ward.Open(servers, major);
        var (ledger, gates) = (ward.Ledger, ward.Gates);
        await gates.Shut(1);
        await gates.Shut(2);
        await ward.Begin();
        await ward.First.Until("both read", async () => await gates.WaitingAt(1) + await gates.WaitingAt(2) == 2);
        var (leader, helper) = await ward.Roles();
        var heldByLeader = await ledger.Scalar<string>($"SELECT piece {InHand} AND node = '{leader.Node}'", Stop);

        // The helper dies at its gate: its session ends with it, and the leader does the unit again.
        var leadersGate = await gates.WaitingAt(1, (await ledger.Scalar<string>($"SELECT backend {InHand} AND node = '{leader.Node}'", Stop))!) == 1 ? 1 : 2;
        await helper.Signal("KILL");
        await helper.End();
        if (major >= 14)
            await leader.Until("its session is gone", async () => await gates.SessionsNow() == 1);
        helper.Start();
        await helper.Until("it is back and helps again", async () => await ledger.Scalar<long>($"SELECT count(*) {InHand} AND node = '{helper.Node}' AND backend IS NOT NULL", Stop) == 1
            && await gates.WaitingAt(3 - leadersGate) == 1 && await gates.SessionsNow() == 2);

        // The helper does all but what the leader has in hand; then the leader dies there.
        await gates.Open(3 - leadersGate);
        await leader.Until("the helper has done the rest", async () => await ledger.Scalar<long>(
            $"SELECT count(*) FROM kintsugi_state.units WHERE answer IS NULL AND piece <> '{heldByLeader}'", Stop) == 0);
        var answered = await ledger.Query("SELECT piece, at FROM kintsugi_state.units WHERE answer IS NOT NULL ORDER BY piece", Stop);
        Assert.True(answered.Count >= 4, $"{answered.Count} units are answered");
        await leader.Signal("KILL");
        await leader.End();
        await helper.Until("the helper leads", async () => await ledger.Scalar<long>(
            $"SELECT count(*) FROM kintsugi_state.looks WHERE leader = '{helper.Node}' AND helpers > 0 AND look LIKE 'db.index_check%'", Stop) == 1);
        // The health check that a new life of a node begins with has a session of its own for a moment.
        await helper.Until("it reads there alone", async () => await gates.WaitingAt(leadersGate) == 1 && await gates.SessionsNow() == 1);
        Assert.Equal(answered, await ledger.Query("SELECT piece, at FROM kintsugi_state.units WHERE answer IS NOT NULL ORDER BY piece", Stop));
        await gates.Open(leadersGate);
        await helper.Until("it ends", async () => await ledger.Scalar<string>(Ended, Stop) is not null);
        Assert.Contains("were proven before this look was cut short", await ledger.Scalar<string>(Ended, Stop), StringComparison.Ordinal);
        Assert.Equal(GatedIndexes.Injured, Assert.Single(await helper.Cases()).Object);
    }

    private sealed class Ward(TestDatabase patient, TestDatabase ledger, GatedIndexes gates, Service first, Service second) : IAsyncDisposable
    {
        public TestDatabase Ledger => ledger;
        public GatedIndexes Gates => gates;
        public Service First => first;
        public Service Second => second;

        /// <summary>Who leads the look that is under way, and who helps.</summary>
        public async Task<(Service Leader, Service Helper)> Roles() =>
            await Ledger.Scalar<string>("SELECT leader FROM kintsugi_state.looks WHERE helpers > 0 AND look LIKE 'db.index_check%'", Stop) == first.Node
                ? (first, second) : (second, first);

        public static async Task<Ward> Open(Servers servers, int major)
        {
            var ledger = await servers.Cluster(TestMajors.Newest, OfItsOwn, Stop);
            var patient = await servers.Database(major, Stop);
            var gates = await GatedIndexes.Make(patient);
            var ward = new Ward(patient, ledger, gates, new Service { Ledger = ledger.ConnectionString }, new Service { Ledger = ledger.ConnectionString });
            foreach (var node in new[] { ward.First, ward.Second })
                node.Write(Service.Block + "targets:\n" + Service.Target(patient) + Service.SharedLedger(ledger) + GatedIndexes.Jobs);
            try
            {
                // Health checks do not wait for other looks, and a node that comes later makes up for those before its time: their sessions are none of this.
                Assert.Equal(0, (await ward.First.Run("jobs", "pause", "db.health_check", "-c", ward.First.ConfigurationFile)).Code);
                ward.First.Start();
                ward.Second.Start();
                await ward.First.Until("both are there", async () => await ledger.Scalar<long>("SELECT count(*) FROM kintsugi_state.nodes", Stop) == 2);
            }
            catch
            {
                await ward.DisposeAsync();
                throw;
            }
            return ward;
        }

        public async Task Begin() => Assert.Equal(0, (await First.Run("jobs", "run", "db.index_check", "-c", First.ConfigurationFile)).Code);

        /// <summary>What the ledger knows of every object since the last look at indexes.</summary>
        public async Task<IReadOnlyList<string>> Verdicts()
        {
            var checks = Looks.Of(JobNames.IndexCheck, PostgresRegistry.Create().Checks);
            return [.. (await Ledger.Query("""
                SELECT check_id, database, object, verdict, reason FROM kintsugi_state.verdicts UNION ALL
                SELECT check_id, database, object, 'proven', depth FROM kintsugi_state.proofs UNION ALL
                SELECT check_id, database, relation, fault, finding FROM kintsugi_state.sightings ORDER BY 1, 2, 3, 4, 5
                """, Stop)).Where(row => checks.Contains((string)row[0]!)).Select(row => string.Join(' ', row))];
        }

        public async ValueTask DisposeAsync()
        {
            await first.DisposeAsync();
            await second.DisposeAsync();
            await gates.DisposeAsync();
            await patient.DisposeAsync();
            await ledger.DisposeAsync();
        }
    }
}
