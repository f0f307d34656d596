using Kintsugi.Pages;
using Kintsugi.Postgres.Files.Reading;

namespace Kintsugi.Postgres.Checks.Storage;

/// <summary>Whether the segment files of a relation can be all of it.</summary>
internal static class FileExtents
{
    public const string FromBackup = "put the file back from a backup or a standby; do not start, stop or vacuum before a "
        + "snapshot of what is left";

    /// <summary>What is wrong with the files as they were measured; everything here is asked twice by the caller.</summary>
    public static async ValueTask<IReadOnlyList<Finding>> Judge(
        IByteSource bytes, ForkExtent extent, Target target, string path, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        if (extent.Fork == Forks.Main && !extent.Exists)
            findings.Add(PageFindings.OfFile(Faults.FileMissing, target, extent.Fork, path,
                extent.Lengths.Count > 1 ? $"file {path} does not exist, but later segments of it do"
                    : $"file {path} does not exist", FromBackup));
        for (var segment = extent.Exists ? 0 : 1; segment < extent.Lengths.Count; segment++)
        {
            var file = Forks.File(path, extent.Fork, segment);
            var length = extent.Lengths[segment];
            if (length < 0)
                findings.Add(PageFindings.OfFile(Faults.FileMissing, target, extent.Fork, path,
                    $"segment {file} does not exist, but later segments do: the server sees the relation end before it",
                        FromBackup));
            else if (bytes is LocalBytes local && !local.IsOpenToOwner(file))
                findings.Add(PageFindings.OfFile(Faults.FileMissing, target, extent.Fork, path,
                    $"{file} is there, but its owner may not read and write it: the server cannot open it", $"chmod 600 {file} in the data directory"));
            else if (segment < extent.Lengths.Count - 1 && length < Forks.SegmentBytes)
                findings.Add(PageFindings.OfFile(Faults.FileTruncated, target, extent.Fork, path,
                    $"segment {file} has {length} of {Forks.SegmentBytes} bytes although another segment follows", FromBackup));
            else if (length % PageFormat.Size != 0 && await HasDataInTail(bytes, file, length, cancellationToken))
                findings.Add(PageFindings.OfFile(Faults.FileTruncated, target, extent.Fork, path,
                    $"{file} ends in the middle of block {length / PageFormat.Size}, after {length % PageFormat.Size} of its "
                        + $"{PageFormat.Size} bytes", FromBackup));
        }
        return findings;
    }

    /// <summary>A torn extension leaves zeroes behind the last block, and the next one writes over them: that is no
    /// loss.</summary>
    private static async ValueTask<bool> HasDataInTail(IByteSource bytes, string file, long length,
        CancellationToken cancellationToken)
    {
        var tail = new byte[length % PageFormat.Size];
        bytes.Reopen();
        var read = await bytes.Read(file, length - tail.Length, tail, cancellationToken);
        return tail.AsSpan(0, read).ContainsAnyExcept((byte)0);
    }
}
