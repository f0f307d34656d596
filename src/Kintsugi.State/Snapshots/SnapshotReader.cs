using System.Security.Cryptography;

namespace Kintsugi.State;

/// <summary>Reads a snapshot back: compares it with its manifest, or lays its files out elsewhere.</summary>
internal sealed class SnapshotReader(string place)
{
    public async ValueTask<IReadOnlyList<string>> Verify(CancellationToken cancellationToken)
    {
        SnapshotManifest manifest;
        try
        {
            var text = await File.ReadAllBytesAsync(Path.Combine(place, SnapshotStore.ManifestName), cancellationToken);
            var sum = await File.ReadAllTextAsync(Path.Combine(place, SnapshotStore.SumName), cancellationToken);
            if (!sum.StartsWith(Convert.ToHexStringLower(SHA256.HashData(text)), StringComparison.Ordinal))
                return [$"{SnapshotStore.ManifestName} is not what was written when the snapshot was taken"];
            manifest = ManifestJson.Read(text);
        }
        catch (Exception problem) when (problem is FormatException or IOException or UnauthorizedAccessException)
        {
            return [$"the manifest cannot be read: {problem.Message}"];
        }
        var flaws = new List<string>();
        foreach (var file in manifest.Files)
            if (await Compare(file, cancellationToken) is { } flaw)
                flaws.Add(flaw);
        foreach (var directory in manifest.Directories.Where(name => !Directory.Exists(SafeName.Join(place, name))))
            flaws.Add($"directory {directory} is missing");
        var known = manifest.Files.Select(file => file.Name).Append(SnapshotStore.ManifestName).Append(
            SnapshotStore.SumName).ToHashSet();
        flaws.AddRange(Directory.EnumerateFiles(place, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(place, path))
            .Where(name => !known.Contains(name)).Order(StringComparer.Ordinal).Select(name => $"{name} does not belong to the "
                + "snapshot"));
        return flaws;
    }

    /// <summary>Copies files out, each compared with its sum on the way.</summary>
    /// <param name="rename">Where a file goes, relative to the target; null leaves it out.</param>
    /// <param name="sync">Each file is on disk before the next is begun.</param>
    /// <param name="laid">Told of each file that lies there.</param>
    /// <exception cref="StateException">A file is not what was taken: nothing good could come of using it.</exception>
    public async ValueTask LayOut(
        SnapshotManifest manifest, string target, Func<string, string?> rename, bool sync, Action<string>? laid, CancellationToken cancellationToken)
    {
        foreach (var directory in manifest.Directories)
            if (rename(directory) is { } name)
                Directory.CreateDirectory(SafeName.Join(target, name), (UnixFileMode)0b111_000_000);
        foreach (var file in manifest.Files)
        {
            if (rename(file.Name) is not { } name)
                continue;
            if (await Compare(file, cancellationToken) is { } flaw)
                throw new StateException($"the snapshot {manifest.Id} is not whole: {flaw}. Nothing of it should be used; look "
                    + "for another copy.");
            var path = SafeName.Join(target, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!, (UnixFileMode)0b111_000_000);
            using var from = File.OpenHandle(SafeName.Join(place, file.Name));
            await using (var to = new FileStream(path, PrivateFile.Create))
            {
                await new FileCopy(new Throttle(null, TimeProvider.System)).Copy(from, to.SafeFileHandle, cancellationToken);
                to.Flush(flushToDisk: sync);
            }
            laid?.Invoke($"laid {name}");
        }
    }

    private async ValueTask<string?> Compare(SnapshotFile file, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = new FileStream(SafeName.Join(place, file.Name), FileMode.Open, FileAccess.Read);
            if (stream.Length != file.Bytes)
                return $"{file.Name} has {stream.Length} bytes, {file.Bytes} were taken";
            var sum = Sum.Of(stream.SafeFileHandle, cancellationToken);
            return sum == file.Sha256 ? null : $"{file.Name} was changed: its SHA-256 is {sum}, {file.Sha256} was taken";
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return $"{file.Name} is missing";
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return $"{file.Name} cannot be read: {problem.Message}";
        }
    }
}
