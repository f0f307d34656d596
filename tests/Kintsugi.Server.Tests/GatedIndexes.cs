using System.Globalization;
using Kintsugi.Postgres.Tests.Fixtures;
using Npgsql;

namespace Kintsugi.Server.Tests;

/// <summary>
/// A table with large indexes, two of which the server does not get to the end of while their gate is shut: their expression waits. The last index lacks
/// a row.
/// </summary>
internal sealed class GatedIndexes(TestDatabase patient, NpgsqlConnection keeper) : IAsyncDisposable
{
    /// <summary>Below the size of the indexes, above what is looked at together.</summary>
    public const string Jobs = "mode: observe\njobs: { unit_size: 600kB }\n";

    public const string Injured = "public.big_4";

    /// <summary>Sessions of ours that read in this database, whatever they do.</summary>
    private const string Sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'kintsugi' AND datname = current_database()";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<GatedIndexes> Make(TestDatabase patient)
    {
        await patient.Execute("""
            CREATE FUNCTION gated(n int, gate int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
                WHILE NOT pg_catalog.pg_try_advisory_lock_shared(4700 + gate) LOOP PERFORM pg_catalog.pg_sleep(0.05); END LOOP;
                PERFORM pg_catalog.pg_advisory_unlock_shared(4700 + gate); RETURN n; END $$;
            CREATE TABLE big (id int, text text);
            INSERT INTO big SELECT n, repeat('x', 40) FROM generate_series(1, 20000) n;
            CREATE INDEX big_1 ON big (public.gated(id, 1), text);
            CREATE INDEX big_2 ON big (public.gated(id, 2), text);
            CREATE INDEX big_3 ON big (text, id); CREATE INDEX big_4 ON big (id, text); CREATE INDEX big_5 ON big (text text_pattern_ops, id);
            UPDATE pg_index SET indisready = false WHERE indexrelid = 'big_4'::regclass
            """, Stop);
        // Not indexed, as after a lost write of the index.
        await patient.Execute("INSERT INTO big VALUES (0, 'nobody finds it'); UPDATE pg_index SET indisready = true WHERE indexrelid = 'big_4'::regclass; ANALYZE big", Stop);
        Assert.Equal(0, await patient.Scalar<long>("SET enable_seqscan = off; SELECT count(*) FROM big WHERE id = 0 AND text > ''", Stop));
        Assert.Equal(1, await patient.Scalar<long>("SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off; SELECT count(*) FROM big WHERE id = 0", Stop));
        Assert.True(await patient.Scalar<int>("SELECT min(relpages) FROM pg_class WHERE relname LIKE 'big\\__'", Stop) >= 75);
        // Which check sees the missing row depends on what of it is on disk: that does not change from here on.
        await patient.Execute("CHECKPOINT", Stop);
        var keeper = new NpgsqlConnection(patient.ConnectionString);
        await keeper.OpenAsync(Stop);
        return new GatedIndexes(patient, keeper);
    }

    public Task Shut(int gate) => Say($"SELECT pg_advisory_lock({4700 + gate})");

    public Task Open(int gate) => Say($"SELECT pg_advisory_unlock({4700 + gate})");

    /// <summary>Sessions that stand at that gate.</summary>
    /// <param name="backend">Only this one, as the ledger names it; any if empty.</param>
    public Task<long> WaitingAt(int gate, string backend = "") => patient.Scalar<long>(string.Create(CultureInfo.InvariantCulture, $"""
        SELECT count(*) FROM pg_stat_activity a WHERE a.application_name = 'kintsugi' AND a.datname = current_database() AND a.state = 'active'
            AND a.query LIKE '%bt_index_check%' AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.relation = 'big_{gate}'::regclass)
            AND split_part('{backend}', ' ', 1) IN ('', a.pid::text)
        """), Stop)!;

    /// <summary>The most sessions of ours that were seen at once until then.</summary>
    public async Task<long> MostSessions(CancellationToken until)
    {
        var most = 0L;
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        await using var connection = new NpgsqlConnection(patient.ConnectionString);
        await connection.OpenAsync(Stop);
        await using var command = new NpgsqlCommand(Sessions, connection);
        while (!until.IsCancellationRequested && await timer.WaitForNextTickAsync(Stop))
            most = Math.Max(most, (long)(await command.ExecuteScalarAsync(Stop))!);
        return most;
    }

    public Task<long> SessionsNow() => patient.Scalar<long>(Sessions, Stop)!;

    public async ValueTask DisposeAsync() => await keeper.DisposeAsync();

    private async Task Say(string sql)
    {
        await using var command = new NpgsqlCommand(sql, keeper);
        await command.ExecuteNonQueryAsync(Stop);
    }
}
