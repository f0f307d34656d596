using System.Collections.Concurrent;
using Kintsugi.Pages;
using Kintsugi.Pages.Files;
using Kintsugi.Postgres.Files.Offline;

namespace Kintsugi.Postgres.Files.Checksums;

/// <summary>
/// What pg_checksums does, on any data directory: verify (also beside a running server), switch on, switch off. Switching on
/// writes the checksum into each page first and into the control file last, so that a server never expects what is not there; a
/// pass that was killed goes on where it was, as long as the cluster did not run in between.
/// </summary>
public sealed class ClusterChecksums(DataDirectory directory, TimeProvider clock)
{
    /// <summary>data_checksum_version in ControlFileData, the same place from 13 to 18.</summary>
    private const int VersionAt = 252;

    /// <exception cref="DataDirectoryException">The cluster has no checksums, or its control file cannot be believed.</exception>
    public async ValueTask<ChecksumReport> Verify(ChecksumSettings settings, CancellationToken cancellationToken)
    {
        if (Control().ChecksumVersion == 0)
            throw new DataDirectoryException(
                $"data checksums are off in {directory.Path}; stop the server and run: kintsugi checksums enable");
        return await new ChecksumPass(directory, settings, directory.ServerPid is not null, clock).Run(cancellationToken);
    }

    /// <exception cref="DataDirectoryException">A server runs there, or it was not shut down cleanly, or checksums are on
    /// already.</exception>
    public async ValueTask<ChecksumReport> Enable(ChecksumSettings settings, CancellationToken cancellationToken)
    {
        var control = Stopped();
        if (control.ChecksumVersion != 0)
            throw new DataDirectoryException($"data checksums are on already in {directory.Path}");
        if (settings.Filenode is not null)
            throw new DataDirectoryException("checksums are switched on for a whole cluster: leave the filenode out");
        using var journal = ChecksumJournal.Open(directory.Path, control);
        using var writer = new PageWriter(directory.Path);
        var report = await new ChecksumPass(directory, settings, live: false, clock)
        {
            Skip = journal.Done,
            Mend = unit => (page, offset) => writer.Seal(unit.File, page, offset),
            FileDone = file =>
            {
                writer.Flush(file.Path);
                journal.Add(file.Path);
            },
        }.Run(cancellationToken);
        if (report.Unreadable.Count > 0)
            throw new DataDirectoryException(
                $"checksums were not switched on: {report.Unreadable.First().Key}: {report.Unreadable.First().Value}");
        Switch(control, version: 1);
        journal.Remove();
        return report with { Written = writer.Written };
    }

    /// <exception cref="DataDirectoryException">A server runs there, or it was not shut down cleanly, or checksums are off
    /// already.</exception>
    public void Disable()
    {
        var control = Stopped();
        if (control.ChecksumVersion == 0)
            throw new DataDirectoryException($"data checksums are off already in {directory.Path}");
        Switch(control, version: 0);
    }

    private ControlFile Control() => directory is { IsControlTrusted: true, Control: { } control }
        ? control
        : throw new DataDirectoryException(
        $"the control file of {directory.Path} is missing or damaged: kintsugi check -D {directory.Path}");

    private ControlFile Stopped()
    {
        var control = Control();
        if (directory.ServerPid is { } pid)
            throw new DataDirectoryException($"a server (process {pid}) runs on {directory.Path}; stop it first");
        return directory.IsShutDown ? control
            : throw new DataDirectoryException(
            $"{directory.Path} was not shut down cleanly (state: {control.State}); start the server, then stop it");
    }

    /// <summary>The last step, and the only one that a server sees: four bytes and the file's CRC, in one write.</summary>
    private void Switch(ControlFile before, uint version)
    {
        var now = DataDirectory.Open(directory.Path);
        if (now.ServerPid is not null || now.Control != before)
            throw new DataDirectoryException($"{directory.Path} was started or changed meanwhile; nothing was switched");
        var path = Path.Combine(directory.Path, "global", "pg_control");
        var bytes = File.ReadAllBytes(path);
        var crcAt = before.ControlVersion == 1800 ? 292 : 288;
        BitConverter.TryWriteBytes(bytes.AsSpan(VersionAt), version);
        BitConverter.TryWriteBytes(bytes.AsSpan(crcAt), Crc32C.Compute(bytes.AsSpan(0, crcAt)));
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.Read);
        RandomAccess.Write(handle, bytes, 0);
        RandomAccess.FlushToDisk(handle);
    }
}
