using System.Buffers.Binary;
using System.Diagnostics;
using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Lab;
using Kintsugi.Pages.Files;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests;

/// <summary>Patients that are not as they should be, or change under our eyes: clear, counted, never a crash.</summary>
public sealed class BadPatientTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Another_architecture_block_size_or_version_is_refused_by_name()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        var control = await File.ReadAllBytesAsync(Path.Combine(database.Cluster.DataDirectory, "global/pg_control"), Stop);

        var blocks = await Copy(terminal, "blocks", control, bytes => BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(216), 16384));
        (await terminal.Run("check", "-D", blocks)).MustRefuse("blocks of 16384 bytes", "8192");
        var segments = await Copy(terminal, "segments", control, bytes => BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(220), 65536));
        (await terminal.Run("check", "-D", segments)).MustRefuse("segments of 65536 blocks");
        var endian = await Copy(terminal, "endian", control, bytes => bytes.AsSpan(8, 4).Reverse());
        (await terminal.Run("check", "-D", endian)).MustRefuse("big-endian");
        var old = Directory.CreateDirectory(terminal.PathOf("old"));
        await File.WriteAllTextAsync(Path.Combine(old.FullName, "PG_VERSION"), "12\n", Stop);
        (await terminal.Run("check", "-D", old.FullName)).MustRefuse("PostgreSQL 12", "13 and later");
    }

    [Fact]
    public async Task A_directory_without_rights_is_told_with_the_way_out()
    {
        using var terminal = new Terminal();
        var closed = Directory.CreateDirectory(terminal.PathOf("closed")).FullName;
        await File.WriteAllTextAsync(Path.Combine(closed, "PG_VERSION"), "18\n", Stop);
        string[] command = [Path.Combine(AppContext.BaseDirectory, "kintsugi"), "check", "-D", closed];
        if (Environment.IsPrivilegedProcess)
        {
            // Root may read everything: somebody else has to try, with a copy of the program, for the account may not see where it was built.
            command[0] = Path.Combine(CopyOfTheProgram(terminal), "kintsugi");
            File.SetUnixFileMode(Path.GetDirectoryName(closed)!, (UnixFileMode)0b111_101_101);
            File.SetUnixFileMode(closed, (UnixFileMode)0b111_000_000);
            command = [.. servers.Laboratory.Account.Wrap(command)];
        }
        else
            File.SetUnixFileMode(closed, UnixFileMode.None);
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            Environment = { ["KINTSUGI_STATE"] = "/nowhere" },
        })!;
        process.StandardInput.Close();

        (await Executable.End(process, Stop)).MustRefuse("may not be read by this user", "Run as the user that owns it");
        File.SetUnixFileMode(closed, (UnixFileMode)0b111_000_000);
    }

    private static string CopyOfTheProgram(Terminal terminal)
    {
        var copy = terminal.PathOf("program");
        foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory, "*", SearchOption.AllDirectories))
        {
            var to = Path.Combine(copy, Path.GetRelativePath(AppContext.BaseDirectory, file));
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(file, to);
        }
        return copy;
    }

    [Fact]
    public async Task A_tablespace_whose_link_leads_nowhere_is_a_finding_running_and_stopped()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        var outside = Directory.CreateDirectory(Path.Combine(database.Cluster.Home, "outside")).FullName;
        await servers.Laboratory.Account.Own(outside, Stop);
        await database.Execute($"CREATE TABLESPACE far LOCATION '{outside}'", Stop);
        await database.Execute("CREATE TABLE away (id int PRIMARY KEY) TABLESPACE far; INSERT INTO away SELECT generate_series(1, 1000)", Stop);
        await database.Execute("CHECKPOINT", Stop);
        Directory.Move(outside, outside + "-moved");

        var running = await terminal.On(database, "check", "-D", database.Cluster.DataDirectory, "--format", "json");
        await database.Cluster.Stop(StopMode.Immediate, Stop);
        var stopped = await terminal.Run("check", "-D", database.Cluster.DataDirectory, "--format", "json");

        foreach (var said in new[] { running, stopped })
        {
            Assert.True(said.Code == ExitCodes.Damage, said.All);
            Assert.DoesNotContain("   at ", said.All, StringComparison.Ordinal);
            Assert.Contains(said.Json.GetProperty("findings").EnumerateArray(),
                finding => finding.GetProperty("evidence").GetString()!.Contains("leads nowhere", StringComparison.Ordinal));
        }
        Assert.Contains(running.Json.GetProperty("findings").EnumerateArray(),
            finding => finding.GetProperty("fault").GetString() == "file-missing" && finding.GetProperty("object").GetString() == "away");
    }

    [Fact]
    public async Task A_session_that_is_ended_in_the_middle_leaves_the_rest_examined_and_nobody_accused()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        await database.Execute("""
            CREATE FUNCTION public.slow(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
            CREATE TABLE public.aa_slow AS SELECT n FROM generate_series(1, 3000) n; CREATE INDEX aa_slow_n ON public.aa_slow (public.slow(n));
            CREATE OR REPLACE FUNCTION public.slow(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM pg_sleep(5); RETURN $1; END';
            """, Stop);
        using var process = Executable.Start(terminal, ["check", .. Terminal.Door(database), "-d", database.Name, "--only", "btree", "-n", "public",
            "--format", "json"]);
        var ended = Executable.End(process, Stop);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        // Together with others first, and then alone.
        while (!ended.IsCompleted)
        {
            await database.Execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kintsugi' AND wait_event = 'PgSleep'", Stop);
            await timer.WaitForNextTickAsync(Stop);
        }
        var said = await ended;

        Assert.True(said.Code == ExitCodes.Unchecked, said.All);
        Assert.DoesNotContain("   at ", said.All, StringComparison.Ordinal);
        Assert.Empty(said.Json.GetProperty("findings").EnumerateArray());
        Assert.True(said.Json.GetProperty("verdicts").GetProperty("sound").GetInt32() > 10, said.All);
        var lost = Assert.Single(said.Json.GetProperty("examined").EnumerateArray(), item => item.GetProperty("verdict").GetString() == "unchecked");
        Assert.Contains("the connection was lost", lost.GetProperty("reason").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_stopped_in_the_middle_ends_the_check_with_one_message()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        await database.Execute("""
            CREATE FUNCTION public.slow(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
            CREATE TABLE public.aa_slow AS SELECT n FROM generate_series(1, 3000) n; CREATE INDEX aa_slow_n ON public.aa_slow (public.slow(n));
            CREATE OR REPLACE FUNCTION public.slow(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM pg_sleep(5); RETURN $1; END';
            """, Stop);
        using var process = Executable.Start(terminal, ["check", .. Terminal.Door(database), "-d", database.Name, "--only", "btree", "-i", "aa_slow_n"]);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!await database.Scalar<bool>("SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'kintsugi' AND wait_event = 'PgSleep'", Stop))
            await timer.WaitForNextTickAsync(Stop);

        await database.Cluster.Stop(StopMode.Fast, Stop);
        var said = await Executable.End(process, Stop);

        Assert.True(said.Code == ExitCodes.CouldNotRun, said.All);
        Assert.StartsWith("kintsugi: ", said.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", said.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_toast_table_that_the_catalog_has_lost_and_one_whose_file_is_gone_are_found_and_the_rest_is_examined()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        await database.Execute("CREATE TABLE lost (id int, v text); CREATE TABLE bare (id int, v text); "
            + "ALTER TABLE lost ALTER v SET STORAGE EXTERNAL; ALTER TABLE bare ALTER v SET STORAGE EXTERNAL; "
            + "INSERT INTO lost SELECT n, repeat('x', 9000) FROM generate_series(1, 30) n; INSERT INTO bare SELECT n, repeat('x', 9000) FROM generate_series(1, 30) n", Stop);
        await database.Execute("CHECKPOINT", Stop);
        var path = await database.Scalar<string>("SELECT pg_relation_filepath(reltoastrelid) FROM pg_class WHERE relname = 'bare'", Stop);
        await database.Execute("SET allow_system_table_mods = on; DELETE FROM pg_class WHERE oid = (SELECT reltoastrelid FROM pg_class WHERE relname = 'lost')", Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        File.Delete(Path.Combine(database.Cluster.DataDirectory, path!));
        await database.Cluster.Start(Stop);

        var said = await terminal.On(database, "check", "-D", database.Cluster.DataDirectory, "--format", "json");

        Assert.True(said.Code == ExitCodes.Damage, said.All);
        Assert.DoesNotContain("   at ", said.All, StringComparison.Ordinal);
        var findings = said.Json.GetProperty("findings").EnumerateArray().ToList();
        Assert.Contains(findings, finding => finding.GetProperty("fault").GetString() == "file-missing" && finding.GetProperty("relation").GetString() == "bare");
        Assert.Contains(findings, finding => finding.GetProperty("fault").GetString() == "catalog-inconsistent"
            && finding.GetProperty("evidence").GetString()!.Contains("toast", StringComparison.OrdinalIgnoreCase));
        Assert.Contains(said.Json.GetProperty("examined").EnumerateArray(),
            item => item.GetProperty("target").GetString() == "public.movies_pkey" && item.GetProperty("verdict").GetString() == "sound");
    }

    /// <summary>A directory that holds nothing but a control file, changed, with the CRC that belongs to it.</summary>
    private static async Task<string> Copy(Terminal terminal, string name, byte[] control, Action<byte[]> change)
    {
        var directory = Directory.CreateDirectory(terminal.PathOf(name));
        var bytes = (byte[])control.Clone();
        change(bytes);
        var at = ControlFile.Read(control, new List<Kintsugi.Pages.Flaw>())!.ControlVersion == 1800 ? 292 : 288;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), Crc32C.Compute(bytes.AsSpan(0, at)));
        await File.WriteAllTextAsync(Path.Combine(directory.FullName, "PG_VERSION"), "18\n", Stop);
        Directory.CreateDirectory(Path.Combine(directory.FullName, "global"));
        await File.WriteAllBytesAsync(Path.Combine(directory.FullName, "global/pg_control"), bytes, Stop);
        return directory.FullName;
    }
}
