using System.Buffers.Binary;
using System.Globalization;
using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Lab;
using Kintsugi.Pages;
using Kintsugi.Postgres.Tests.Fixtures;
using Npgsql;

namespace Kintsugi.Cli.Tests.Kills;

/// <summary>A cluster whose catalogs keep everybody out, again and again, and which has to be whole after each next run.</summary>
internal sealed class LockedPatient(TestDatabase database, string strike, Fingerprint before) : IAsyncDisposable
{
    /// <summary>Both are read before a session is let in; one error, and no crash, is what comes of either.</summary>
    private string Index => strike == "torn" ? "pg_class_oid_index" : "pg_attribute_relid_attnum_index";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static bool All { get; } = Environment.GetEnvironmentVariable("KINTSUGI_TEST_ALL") == "1";

    public TestDatabase Database => database;

    /// <summary>Without the checks of entries: what no page shows is then seen at the door alone.</summary>
    public string[] Heal => ["heal", .. Terminal.Door(database), "-d", database.Name, "--yes", "--verbose", "--only", "pages", "--only", "shared-pages"];

    /// <summary>Whether sessions go past the system indexes.</summary>
    public bool IsOpen => File.ReadAllText(Path.Combine(database.Cluster.DataDirectory, "postgresql.auto.conf")).Contains("ignore_system_indexes", StringComparison.Ordinal);

    public static TheoryData<string, int> Matrix()
    {
        var data = new TheoryData<string, int>();
        foreach (var strike in (string[])["torn", "misleading"])
            foreach (var row in All ? TestMajors.Ends : [TestMajors.Newest])
                data.Add(strike, row.Data);
        return data;
    }

    public static async Task<LockedPatient> Admit(Servers servers, int major, string strike, CancellationToken stop)
    {
        var options = new ClusterOptions { Settings = new Dictionary<string, string> { ["max_prepared_transactions"] = "5" } };
        var database = await servers.Cluster(major, options, stop);
        await database.Execute("ALTER SYSTEM SET work_mem = '5MB'", stop);
        return new LockedPatient(database, strike, await database.Fingerprint(stop));
    }

    /// <summary>The numbers of the lines that a run says that nobody disturbs; the run itself is the first proof.</summary>
    public async Task<IReadOnlyList<string>> Lines()
    {
        var lines = new List<string>();
        using var terminal = new Terminal();
        await Injure();
        terminal.Heard = lines.Add;
        var healed = await terminal.Run(Heal);
        Assert.True(healed.Code == ExitCodes.Sound, healed.All);
        await AssertWhole(terminal, healed.All);
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join('\n', lines));
        return Numbers(lines.Count);
    }

    public static IReadOnlyList<string> Numbers(int lines) => [.. Enumerable.Range(1, lines).Select(line => line.ToString(CultureInfo.InvariantCulture))];

    /// <summary>Injures, lets the interruption happen, runs once more, and proves that all is well. Each has a ledger of its own.</summary>
    /// <param name="held">Something holds up the rebuild until the next run.</param>
    public async Task Interrupt(Func<Terminal, Task> interrupted, bool held = false)
    {
        using var terminal = new Terminal();
        // A prepared transaction outlives the restart that the injury needs.
        if (held)
            await database.Execute("BEGIN; LOCK TABLE pg_class IN ROW EXCLUSIVE MODE; PREPARE TRANSACTION 'stall'", Stop);
        await Injure();
        await interrupted(terminal);
        var next = terminal.Run(Heal);
        while (held && !await Asks("SELECT EXISTS (SELECT FROM pg_prepared_xacts)"))
            await Task.Delay(20, Stop);
        if (held)
            await database.Cluster.Execute(database.Name, "ROLLBACK PREPARED 'stall'", Stop);
        var said = await next;
        Assert.True(said.Code == ExitCodes.Sound, said.All);
        await AssertWhole(terminal, said.All);
    }

    public async Task AwaitStall()
    {
        while (!await Asks("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'kintsugi' AND wait_event_type = 'Lock')"))
            await Task.Delay(20, Stop);
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    private async Task Injure()
    {
        var file = Path.Combine(database.Cluster.DataDirectory, (await database.Scalar<string>($"SELECT pg_relation_filepath('{Index}')", Stop))!);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        var bytes = await File.ReadAllBytesAsync(file, Stop);
        for (var block = 1; block * PageFormat.Size < bytes.Length; block++)
            Strike(bytes.AsSpan(block * PageFormat.Size, PageFormat.Size), (uint)block);
        await File.WriteAllBytesAsync(file, bytes, Stop);
        await database.Cluster.Start(Stop);
        await Record.ExceptionAsync(() => database.Scalar<int>("SELECT 1", Stop));
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => database.Scalar<long>("SELECT count(*) FROM movies", Stop));
    }

    private void Strike(Span<byte> page, uint block)
    {
        if (strike == "torn")
        {
            page.Slice(4096, 512).Fill(0x5A);
            return;
        }
        // Every entry is marked as dead: a page that is whole, and finds nothing.
        var end = BinaryPrimitives.ReadUInt16LittleEndian(page[12..]);
        for (var at = 24; at < end; at += 4)
            BinaryPrimitives.WriteUInt32LittleEndian(page[at..], BinaryPrimitives.ReadUInt32LittleEndian(page[at..]) | (3u << 15));
        PageChecksum.Seal(page, block);
    }

    private async Task AssertWhole(Terminal terminal, string said)
    {
        Assert.False(IsOpen, said);
        Assert.Contains("work_mem = '5MB'", await File.ReadAllTextAsync(Path.Combine(database.Cluster.DataDirectory, "postgresql.auto.conf"), Stop), StringComparison.Ordinal);
        Assert.Equal("off", await database.Scalar<string>("SHOW ignore_system_indexes", Stop));
        Assert.Empty(Directory.EnumerateFiles(database.Cluster.DataDirectory, "*.kintsugi-new", SearchOption.AllDirectories));
        var difference = before.CompareWith(await database.Fingerprint(Stop), "\"public\".\"playback_sessions\"");
        Assert.True(difference.IsEmpty, $"{difference}\n{said}");
        Assert.Equal(0L, await database.Scalar<long>("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", Stop));
        var cases = await terminal.Run("cases", "--format", "json");
        Assert.All(cases.Json.GetProperty("cases").EnumerateArray(), row => Assert.Contains(row.GetProperty("state").GetString(), (string[])["healed", "transient"]));
    }

    private async Task<bool> Asks(string sql)
    {
        try
        {
            return await database.Scalar<bool>(sql, Stop);
        }
        catch (NpgsqlException)
        {
            // The door is not open yet.
            return false;
        }
    }
}
