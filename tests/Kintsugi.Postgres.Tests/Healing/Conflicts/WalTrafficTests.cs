using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;

namespace Kintsugi.Postgres.Tests.Healing.Conflicts;

/// <summary>A plan that writes much WAL waits for whoever would suffer from it, says for whom, and runs when that has passed.</summary>
public sealed class WalTrafficTests(Servers servers) : IDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-traffic-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(state, recursive: true);

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_replication_slot_that_would_be_lost_is_waited_for(int major)
    {
        await using var database = await Sicken(major);
        await database.Execute("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'", Token);
        await database.Execute("SELECT pg_reload_conf()", Token);
        await database.Execute("SELECT pg_create_physical_replication_slot('reader', true)", Token);
        Assert.True(await database.Scalar<long>("SELECT safe_wal_size FROM pg_replication_slots", Token) < 3 << 20);

        await Waits(database, "replication slot reader is kept for another");
        await database.Execute("SELECT pg_drop_replication_slot('reader')", Token);
        await Heals(database);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_base_backup_is_waited_for(int major)
    {
        await using var database = await Sicken(major);
        using (await BaseBackup(database))
        {
            await Await(database, "SELECT EXISTS (SELECT FROM pg_stat_progress_basebackup)");
            await Waits(database, "sends a base backup");
        }
        await Await(database, "SELECT NOT EXISTS (SELECT FROM pg_stat_progress_basebackup)");
        await Heals(database);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_standby_that_is_far_behind_is_waited_for(int major)
    {
        await using var database = await Sicken(major);
        await database.Execute("ALTER SYSTEM SET wal_keep_size = '1GB'", Token);
        await database.Execute("SELECT pg_reload_conf()", Token);
        await using var standby = await database.Cluster.CreateStandby(Token);
        await standby.AwaitReplayOf((await database.Scalar<string>("SELECT pg_current_wal_lsn()::text", Token))!, Token);
        await standby.Execute("postgres", "SELECT pg_wal_replay_pause()", Token);
        // Each switch takes what is left of a segment.
        var segment = await database.Scalar<long>("SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size'", Token);
        for (var switched = 0L; switched <= 260L << 20; switched += segment)
            await database.Execute("SELECT pg_logical_emit_message(false, 'a', 'b'); SELECT pg_switch_wal()", Token);
        await Await(database, "SELECT EXISTS (SELECT FROM pg_stat_replication WHERE pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) > 268435456)");

        await Waits(database, "behind: it would have to replay");
        await standby.Execute("postgres", "SELECT pg_wal_replay_resume()", Token);
        await standby.AwaitReplayOf((await database.Scalar<string>("SELECT pg_current_wal_lsn()::text", Token))!, Token);
        await Await(database, "SELECT NOT EXISTS (SELECT FROM pg_stat_replication WHERE pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) > 268435456)");
        await Heals(database);
    }

    /// <summary>An index of some MB whose order is not that of its operator class any more.</summary>
    private async Task<TestDatabase> Sicken(int major)
    {
        var database = await servers.Cluster(major, Token);
        await database.Execute("""
            CREATE TABLE wide (id integer, body text);
            INSERT INTO wide SELECT g, repeat(md5(g::text), 8) FROM generate_series(1, 20000) g;
            CREATE FUNCTION wide_compare(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT
              AS 'SELECT CASE WHEN $1 < $2 THEN -1 WHEN $1 > $2 THEN 1 ELSE 0 END';
            CREATE OPERATOR CLASS wide_ops FOR TYPE integer USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=,
              OPERATOR 5 >, FUNCTION 1 wide_compare(integer, integer);
            CREATE INDEX wide_id ON wide (id wide_ops) INCLUDE (body);
            CREATE OR REPLACE FUNCTION wide_compare(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT
              AS 'SELECT CASE WHEN $1 < $2 THEN 1 WHEN $1 > $2 THEN -1 ELSE 0 END'
            """, Token);
        Assert.True(await database.Scalar<long>("SELECT pg_relation_size('wide_id')", Token) > 4 << 20);
        return database;
    }

    private async Task Waits(TestDatabase database, string forWhat)
    {
        var report = Assert.Single(await Treat(database).Run(Token));
        var waiting = Assert.IsType<Outcome.Waiting>(report.Outcome);
        Assert.Contains(forWhat, waiting.Why, StringComparison.Ordinal);
        Assert.NotEmpty((await Treat(database).Look(Token)).Findings);
    }

    private async Task Heals(TestDatabase database)
    {
        var report = Assert.Single(await Treat(database).Run(Token));
        Assert.True(report.Outcome is Outcome.Healed, report.Outcome.Why);
        Assert.Empty((await Treat(database).Look(Token)).Findings);
    }

    private static async Task Await(TestDatabase database, string condition)
    {
        while (!await database.Scalar<bool>(condition, Token))
            Token.ThrowIfCancellationRequested();
    }

    private Treatment Treat(TestDatabase database) => new(database.ConnectionString, database.Cluster.DataDirectory, StateDirectory.Open(state).Path)
    {
        Checks = ["heap", "btree"],
        Includes = relation => relation.TableName == "wide",
    };

    /// <summary>A client that asks for a backup and then reads none of it: the server waits for it (manual: "Streaming Replication Protocol").</summary>
    private static async Task<Socket> BaseBackup(TestDatabase database)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(database.Cluster.SocketDirectory, $".s.PGSQL.{database.Cluster.Port}")), Token);
        var startup = Encoding.ASCII.GetBytes("user\0postgres\0replication\0true\0\0");
        await socket.SendAsync(Message(null, [0, 3, 0, 0, .. startup]), Token);
        await socket.SendAsync(Message('Q', Encoding.ASCII.GetBytes(database.Major < 15 ? "BASE_BACKUP FAST\0" : "BASE_BACKUP (CHECKPOINT 'fast')\0")), Token);
        return socket;
    }

    private static byte[] Message(char? kind, byte[] body)
    {
        var length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, body.Length + 4);
        return kind is { } letter ? [(byte)letter, .. length, .. body] : [.. length, .. body];
    }
}
