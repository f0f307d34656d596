using System.Diagnostics;
using System.Globalization;
using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Server.Tests;

/// <summary>What a soak needs around the service: load, a small disk for snapshots, and an eye on memory.</summary>
internal sealed class Soak : IAsyncDisposable
{
    private readonly TestDatabase database;
    private readonly CancellationTokenSource ended = new();
    private Task load = Task.CompletedTask;

    private Soak(TestDatabase database, string disk)
    {
        this.database = database;
        Disk = disk;
    }

    public static bool IsPossible => Environment.UserName == "root" && Pgbench.Program is not null;

    /// <summary>A file system of its own where snapshots go: it holds little more than what every snapshot leaves free (256 MB).</summary>
    public string Disk { get; }
    public long Loads { get; private set; }

    public static async Task<Soak> Begin(TestDatabase database)
    {
        var disk = Directory.CreateTempSubdirectory("kintsugi-disk-").FullName;
        await Must("mount", "-t", "tmpfs", "-o", "size=320m,mode=0700", "tmpfs", disk);
        return new Soak(database, disk);
    }

    /// <summary>pgbench in a database beside the one that is injured; it begins again whenever the server went away under it.</summary>
    public async Task Load(string name)
    {
        await database.Cluster.Execute("postgres", $"CREATE DATABASE {name}", CancellationToken.None);
        await Must([Pgbench.Program!, .. Place(name), "-i", "-q", "-s", "2"]);
        load = Task.Run(async () =>
        {
            while (!ended.IsCancellationRequested)
            {
                await Run([Pgbench.Program!, .. Place(name), "-n", "-c", "2", "-R", "40", "-T", "20"]);
                Loads++;
            }
        });
    }

    /// <summary>Nothing more goes onto the disk until it is freed.</summary>
    public void Fill()
    {
        using var file = new FileStream(Path.Combine(Disk, "filler"), FileMode.Create);
        var block = new byte[1 << 20];
        try
        {
            for (var written = 0; written < 1 << 30; written += block.Length)
                file.Write(block);
            file.Flush(flushToDisk: true);
        }
        catch (IOException full)
        {
            Assert.Contains("space", full.Message, StringComparison.OrdinalIgnoreCase);
        }
    }

    public void Free() => File.Delete(Path.Combine(Disk, "filler"));

    /// <summary>Megabytes that a process alone holds: neither its program files nor what it shares.</summary>
    public static double Megabytes(int process)
    {
        var line = File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("RssAnon:", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        await load;
        ended.Dispose();
        await Must("umount", Disk);
        Directory.Delete(Disk);
    }

    private string[] Place(string name) =>
        ["-h", database.Cluster.SocketDirectory, "-p", database.Cluster.Port.ToString(CultureInfo.InvariantCulture), "-U", "postgres", name];

    private static async Task Must(params string[] command)
    {
        var (code, said) = await Run(command);
        Assert.True(code == 0, $"{string.Join(' ', command)}\n{said}");
    }

    private static async Task<(int Code, string Said)> Run(params string[] command)
    {
        // pgbench takes its database last, after the options.
        var database = Path.GetFileName(command[0]) == "pgbench" ? command[7] : null;
        using var process = Process.Start(new ProcessStartInfo(command[0], database is null ? command[1..] : [.. command[1..7], .. command[8..], database])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var said = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, string.Concat(said));
    }
}
