using Kintsugi.Pages;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Checks.Storage;

/// <summary>What the storage tests share: examine a database, and write to its files behind the server's back.</summary>
internal static class StorageWard
{
    public static async Task<ScrubReport> Examine(
        TestDatabase database, CancellationToken cancellationToken, string? user = null, bool hideFiles = false,
            string? from = null,
        params string[] only)
    {
        await using var factory = Factory(database, user);
        // A directory that is not there hides the files, as another machine would.
        var source = await PatientSource.Connect(factory, [from ?? database.Name], null, hideFiles ? "/nonexistent" : null,
            new Pace(null, TimeProvider.System), cancellationToken);
        return await Examine(source, cancellationToken, only);
    }

    public static SessionFactory Factory(TestDatabase database, string? user = null) =>
        new(name => new Npgsql.NpgsqlConnectionStringBuilder(database.ConnectionString)
        {
            Database = name ?? database.Name,
            Username = user ?? "postgres",
        }.ConnectionString, new SessionLimits());

    /// <summary>The data directory alone; nobody listens.</summary>
    public static async Task<ScrubReport> ExamineStopped(
        TestDatabase database, CancellationToken cancellationToken, params string[] only)
    {
        Assert.False(database.Cluster.IsRunning);
        var source = await OfflineSource.Open(
            database.Cluster.DataDirectory, new Pace(null, TimeProvider.System), cancellationToken);
        return await Examine(source, cancellationToken, only);
    }

    public static async Task<ScrubReport> Examine(IPatientSource source, CancellationToken cancellationToken,
        params string[] only)
    {
        var checks = PostgresRegistry.Create(Kintsugi.Rules.ConsistencyRules.None).Checks;
        var wanted = only.Length > 0 ? only : ["pages", "shared-pages"];
        return await new Scrub(checks, source, TimeProvider.System, null)
            .Run(new ScrubSettings { Depth = Depth.Standard, Only = wanted.ToHashSet(), Jobs = 2 }, cancellationToken);
    }

    /// <summary>The file of a relation, after everything in shared buffers was written to it.</summary>
    public static async Task<string> FileOf(TestDatabase database, string relation, CancellationToken cancellationToken)
    {
        await database.Execute("CHECKPOINT", cancellationToken);
        var path = await database.Scalar<string>($"SELECT pg_catalog.pg_relation_filepath('{relation}')", cancellationToken);
        return Path.Combine(database.Cluster.DataDirectory, path!);
    }

    public static byte[] ReadPage(string file, long block)
    {
        var page = new byte[PageFormat.Size];
        using var handle = File.OpenHandle(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        Assert.Equal(page.Length, RandomAccess.Read(handle, page, block * PageFormat.Size));
        return page;
    }

    /// <summary>Writes the page, and asserts that the file is another one afterwards.</summary>
    public static void WritePage(string file, long block, ReadOnlySpan<byte> page)
    {
        var before = ReadPage(file, block);
        using (var handle = File.OpenHandle(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            RandomAccess.Write(handle, page, block * PageFormat.Size);
        Assert.False(before.AsSpan().SequenceEqual(ReadPage(file, block)), "the fixture did not reach the state under test");
    }

    /// <summary>Changes the page and seals it with the checksum of its block, as a fault above the disk would.</summary>
    public static void Alter(string file, long block, bool seal, Action<byte[]> change)
    {
        var page = ReadPage(file, block);
        change(page);
        if (seal)
            PageChecksum.Seal(page, (uint)block);
        WritePage(file, block, page);
    }

    public static IEnumerable<(string Fault, string? Object, string? Fork, long? Block)> Places(this ScrubReport report) =>
        report.Findings.Select(f => (f.Fault.Id, f.Target.Object, f.Target.Fork, f.Target.Block));
}
