using System.Diagnostics;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Healing.Conflicts;

/// <summary>
/// A disk fills up at every fact of a repair: the one of the ledger and the snapshots, or the server's. The run says so and ends, what it began is taken
/// away or kept in order, and when there is room again the next one heals.
/// </summary>
public sealed class FullDiskTests(Servers servers) : IDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-full-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(state, recursive: true);

    private static bool All { get; } = Environment.GetEnvironmentVariable("KINTSUGI_TEST_ALL") == "1";

    public static TheoryData<string, int> Matrix()
    {
        var data = new TheoryData<string, int>();
        foreach (var name in (string[])["rebuild-index", "quarantine-orphans", "write-pages"])
            foreach (var row in TestMajors.Ends.Where(row => All || (row.Data == TestMajors.Newest && name == "rebuild-index")))
                data.Add(name, row.Data);
        return data;
    }

    [Theory, MemberData(nameof(Matrix))]
    public async Task The_ledgers_and_the_snapshots_disk_fills_up(string name, int major)
    {
        await using var disk = await TightDisk.Mount(state, "32m", Token);
        await using var patient = await Admit(name, major, state, "");
        // There seems to be room until it is written to.
        patient.FreeBytes = _ => long.MaxValue;
        var count = await patient.Facts();
        for (var fact = 0; fact < count; fact++)
        {
            if (!All && fact % 2 == 0)
                continue;
            await patient.Interrupt(async () =>
            {
                await patient.RunWith(fact, () => disk.Fill(Token));
                disk.Free();
            });
        }
    }

    [Theory, MemberData(nameof(Matrix))]
    public async Task The_servers_disk_fills_up(string name, int major)
    {
        var place = Directory.CreateDirectory(Path.Combine(state, "tight")).FullName;
        await using var disk = await TightDisk.Mount(place, "64m", Token);
        File.SetUnixFileMode(state, (UnixFileMode)0b111_001_001);
        await using var patient = await Admit(name, major, Directory.CreateDirectory(Path.Combine(state, "own")).FullName, place);
        var count = await patient.Facts();
        for (var fact = 0; fact < count; fact++)
        {
            if (!All && fact % 2 == 0)
                continue;
            await patient.Interrupt(async () =>
            {
                await patient.RunWith(fact, () => disk.Fill(Token));
                disk.Free();
            });
        }
    }

    /// <param name="tablespace">Where the tables lie; empty for where all others do.</param>
    private async Task<KillPatient> Admit(string name, int major, string books, string tablespace)
    {
        var database = await servers.Cluster(major, Token);
        var mechanism = Mechanism.Named(name);
        if (tablespace.Length > 0)
        {
            await Command("chown", $"--reference={database.Cluster.DataDirectory}", tablespace);
            await database.Execute($"CREATE TABLESPACE tight LOCATION '{tablespace}'", Token);
            await database.Execute($"ALTER DATABASE {database.Name} SET default_tablespace = tight", Token);
        }
        await database.Execute(mechanism.Prepare, Token);
        await database.Execute("CREATE TABLE beside AS SELECT g AS id FROM generate_series(1, 100) g; CREATE INDEX beside_id ON beside (id)", Token);
        return await KillPatient.Admit(database, mechanism, books, Token);
    }

    private static async Task<bool> Command(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return process.ExitCode == 0;
    }

    /// <summary>A small file system in memory, which only root may mount.</summary>
    private sealed class TightDisk(string place) : IAsyncDisposable
    {
        private string Ballast => Path.Combine(place, "ballast");

        public static async Task<TightDisk> Mount(string place, string size, CancellationToken stop)
        {
            Assert.SkipUnless(Environment.IsPrivilegedProcess && OperatingSystem.IsLinux(), "only root mounts a small file system");
            Assert.SkipUnless(await Command("mount", "-t", "tmpfs", "-o", $"size={size},mode=0700", "tmpfs", place), "mounting is not allowed here");
            stop.ThrowIfCancellationRequested();
            return new TightDisk(place);
        }

        public async Task Fill(CancellationToken stop)
        {
            await using var file = new FileStream(Ballast, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
            foreach (var piece in (int[])[65536, 4096, 512, 1])
                try
                {
                    while (true)
                        await file.WriteAsync(new byte[piece], stop);
                }
                catch (IOException)
                {
                    // Full for pieces of this size.
                }
        }

        public void Free() => File.Delete(Ballast);

        public async ValueTask DisposeAsync() => await Command("umount", "--lazy", place);
    }
}
