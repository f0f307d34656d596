using System.Globalization;
using Kintsugi.Pages;
using Kintsugi.Pages.Files;
using Kintsugi.Postgres.Checks.Storage.Cluster;
using Kintsugi.Postgres.Files;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Files.Reading;

namespace Kintsugi.Postgres.Scratch;

/// <summary>
/// Replays WAL alone: a directory with the control file, the transaction logs and copies of the WAL segments, and no table, is started as a server of its own;
/// every block that the WAL holds whole since the checkpoint comes to be in it as it is in the original. Nothing of the original is opened for writing, and nobody connects.
/// </summary>
internal sealed class WalReplay(string directory, string programs, TimeProvider clock)
{
    /// <summary>Blocks of other tables are not there, and records of them are passed over.</summary>
    private const string Settings = """
        ignore_invalid_pages = on
        full_page_writes = off
        hot_standby = off
        """;

    /// <summary>What a server wants to find although nothing is in it; below pg_wal and pg_stat too.</summary>
    private static readonly string[] Empty =
        ["base", "global", "pg_dynshmem", "pg_stat", "pg_stat_tmp", "pg_wal", "pg_wal/archive_status", "pg_wal/summaries", "pg_xact", "pg_multixact",
            "pg_multixact/offsets", "pg_multixact/members", .. DirectoriesExam.Needed];

    /// <param name="from">The checkpoint to start at; all WAL from its redo point on is there.</param>
    /// <param name="wal">What pg_wal holds.</param>
    /// <param name="path">The file that is wanted, below the data directory.</param>
    /// <param name="blocks">Which of its blocks.</param>
    /// <param name="cancellationToken">Stops between two steps.</param>
    /// <returns>The blocks as replay left them; those that it did not reach are missing.</returns>
    /// <exception cref="HealingException">It does not come to its end.</exception>
    public async ValueTask<IReadOnlyDictionary<long, byte[]>> Run(
        FoundCheckpoint from, WalRemains wal, string path, IReadOnlyCollection<long> blocks, CancellationToken cancellationToken)
    {
        var segments = Segments(from, wal);
        await using var trial = await TrialDirectory.Open(segments.Sum(file => file.Length), clock, cancellationToken);
        var data = Path.Combine(trial.Copy, "data");
        foreach (var name in Empty)
            Directory.CreateDirectory(Path.Combine(data, name));
        Copy(data, segments);
        await File.WriteAllTextAsync(Path.Combine(data, "backup_label"), Label(from, wal), cancellationToken);
        await using (await ScratchServer.Start(programs, data, FileOwner.Of(directory), Settings, clock, cancellationToken))
        {
            // It says that it is ready after the checkpoint at the end of recovery: all pages are in their files.
        }
        var found = new Dictionary<long, byte[]>();
        foreach (var block in blocks)
        {
            var (file, offset) = Forks.Place(path, Forks.Main, block);
            var page = new byte[PageFormat.Size];
            if (!File.Exists(Path.Combine(data, file)))
                continue;
            using var handle = File.OpenHandle(Path.Combine(data, file));
            if (RandomAccess.Read(handle, page, offset) == page.Length)
                found[block] = page;
        }
        return found;
    }

    /// <summary>Segments of the timeline from the redo point on.</summary>
    private List<FileInfo> Segments(FoundCheckpoint from, WalRemains wal)
    {
        using var files = new WalFiles(directory, (int)wal.SegmentSize, wal.Timeline);
        var (first, last) = (files.NameOf(from.Redo), files.NameOf(wal.End));
        return [.. new DirectoryInfo(Path.Combine(directory, "pg_wal")).EnumerateFiles()
            .Where(file => file.Name.Length == 24 && string.CompareOrdinal(file.Name, first) >= 0 && string.CompareOrdinal(file.Name, last) <= 0
                || file.Extension == ".history")];
    }

    private void Copy(string data, IReadOnlyList<FileInfo> segments)
    {
        var original = new DirectoryInfo(directory);
        List<string> small = ["PG_VERSION", "global/pg_control", "global/pg_filenode.map"];
        foreach (var database in original.GetDirectories("base").Single().EnumerateDirectories())
        {
            Directory.CreateDirectory(Path.Combine(data, "base", database.Name));
            small.AddRange(new[] { "PG_VERSION", "pg_filenode.map" }.Select(name => $"base/{database.Name}/{name}"));
        }
        foreach (var folder in new[] { "pg_xact", "pg_multixact/offsets", "pg_multixact/members" })
            small.AddRange(Directory.EnumerateFiles(Path.Combine(directory, folder)).Select(file => $"{folder}/{Path.GetFileName(file)}"));
        // A database that is being made or dropped has none of them.
        foreach (var name in small.Where(name => File.Exists(Path.Combine(directory, name))))
            File.Copy(Path.Combine(directory, name), Path.Combine(data, name));
        foreach (var segment in segments)
            segment.CopyTo(Path.Combine(data, "pg_wal", segment.Name));
        var flaws = new List<Flaw>();
        _ = ControlFile.Read(File.ReadAllBytes(Path.Combine(data, ControlFileExam.File)), flaws);
        if (flaws.Count > 0)
            throw new HealingException("the control file was being written while it was copied", mayPass: true);
    }

    /// <summary>Any method but "streamed", which would wait for a record that ends a backup (xlogrecovery.c, read_backup_label).</summary>
    private string Label(FoundCheckpoint from, WalRemains wal)
    {
        using var files = new WalFiles(directory, (int)wal.SegmentSize, wal.Timeline);
        return string.Create(CultureInfo.InvariantCulture, $"""
            START WAL LOCATION: {from.Redo >> 32:X}/{(uint)from.Redo:X} (file {files.NameOf(from.Redo)})
            CHECKPOINT LOCATION: {from.Lsn >> 32:X}/{(uint)from.Lsn:X}
            BACKUP METHOD: kintsugi
            BACKUP FROM: primary
            START TIME: {clock.GetUtcNow():yyyy-MM-dd HH:mm:ss} GMT
            LABEL: kintsugi
            START TIMELINE: {wal.Timeline}

            """);
    }
}
