using System.Globalization;

namespace Kintsugi.State;

/// <summary>How snapshots are written and how much of the disk they must leave alone.</summary>
public sealed record SnapshotStoreSettings
{
    /// <summary>Bytes a second; null for no limit.</summary>
    public long? Rate { get; init; }

    /// <summary>
    /// What must stay free beside the snapshot: the server writes its WAL on the same disk more often than not.
    /// </summary>
    public long Reserve { get; init; } = 256L << 20;
}

/// <summary>A directory of snapshots. One appears when it is whole and on disk, and disappears at once.</summary>
/// <param name="freeBytes">Free room under a directory; given by tests.</param>
public sealed class SnapshotStore(string directory, SnapshotStoreSettings settings, TimeProvider clock, Func<string,
    long>? freeBytes = null)
    : ISnapshotShelf
{
    internal const string ManifestName = "manifest.json";
    internal const string SumName = "manifest.json.sha256";
    private const string DraftPrefix = ".draft-";

    /// <summary>Copies beyond the sizes seen at first: files grow while they are copied.</summary>
    private const double Growth = 1.1;

    public string Directory { get; } = directory;

    public ValueTask<ISnapshotDraft> Begin(SnapshotManifest manifest, long bytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (SafeName.ClusterAround(Directory) is { } cluster)
            throw new HealingException(
                $"the snapshot directory {Directory} lies in the data directory {cluster}: copies belong outside of what they are "
                + "copies of. Name another directory.", mayPass: false);
        try
        {
            System.IO.Directory.CreateDirectory(Directory, (UnixFileMode)0b111_000_000);
            RequireRoom(bytes);
            var created = clock.GetUtcNow();
            var name = created.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture) + "-"
                + (manifest.Case ?? "manual");
            // Milliseconds apart, or two processes: the draft's directory is what takes the name.
            for (var number = 1; ; number++)
            {
                var id = number == 1 ? name : $"{name}-{number}";
                var draft = Path.Combine(Directory, DraftPrefix + id);
                if (System.IO.Directory.Exists(draft) || System.IO.Directory.Exists(Path.Combine(Directory, id)))
                    continue;
                System.IO.Directory.CreateDirectory(draft, (UnixFileMode)0b111_000_000);
                return ValueTask.FromResult<ISnapshotDraft>(new SnapshotDraft(
                    draft, Path.Combine(Directory, id), manifest with { Id = id, Created = created },
                        new FileCopy(new Throttle(settings.Rate, clock))));
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new HealingException(
                $"the snapshot directory {Directory} cannot be written: {problem.Message} No snapshot, no repair.",
                    mayPass: false, problem);
        }
    }

    /// <summary>All whole snapshots, oldest first; one whose manifest cannot be read is told by <see cref="Verify"/>.</summary>
    public IReadOnlyList<SnapshotManifest> List() => [.. Ids()
        .Select(id => TryShow(id, out _))
        .OfType<SnapshotManifest>()
        .OrderBy(manifest => manifest.Created)];

    public IReadOnlyList<string> Ids() => !System.IO.Directory.Exists(Directory)
        ? []
        : [.. System.IO.Directory.EnumerateDirectories(Directory).Select(path => Path.GetFileName(path)!)
            .Where(id => !id.StartsWith('.')).Order(StringComparer.Ordinal)];

    /// <exception cref="StateException">There is no such snapshot, or its manifest cannot be read.</exception>
    public SnapshotManifest Show(string id) => TryShow(id, out var why) ?? throw new StateException(why);

    /// <summary>Re-reads every byte and compares with the manifest.</summary>
    /// <returns>What is missing, changed or too much; empty when it is as it was taken.</returns>
    public ValueTask<IReadOnlyList<string>> Verify(string id, CancellationToken cancellationToken) =>
        new SnapshotReader(PlaceOf(id)).Verify(cancellationToken);

    /// <summary>The directory that holds that snapshot.</summary>
    /// <exception cref="StateException">There is no such snapshot.</exception>
    public string PlaceOf(string id)
    {
        var place = SafeName.Join(Directory, id);
        return !id.StartsWith('.') && System.IO.Directory.Exists(place)
            ? place
            : throw new StateException($"there is no snapshot {id} in {Directory}; kintsugi snapshots list shows them");
    }

    private SnapshotManifest? TryShow(string id, out string why)
    {
        why = "";
        try
        {
            return ManifestJson.Read(File.ReadAllBytes(Path.Combine(PlaceOf(id), ManifestName)));
        }
        catch (Exception problem) when (
            problem is FormatException or IOException or UnauthorizedAccessException or StateException)
        {
            why = problem is StateException ? problem.Message
                : $"the manifest of snapshot {id} in {Directory} cannot be read: {problem.Message}";
            return null;
        }
    }

    private void RequireRoom(long bytes)
    {
        var free = freeBytes?.Invoke(Directory) ?? new DriveInfo(Directory).AvailableFreeSpace;
        var needed = (long)(bytes * Growth) + settings.Reserve;
        if (free < needed)
            throw new HealingException(
                $"there is no room for the snapshot in {Directory}: it needs {Size(needed)} ({Size(bytes)} to copy, a tenth for "
                    + "growth, "
                + $"{Size(settings.Reserve)} left free), {Size(free)} is free. Make room, run kintsugi snapshots prune, or name "
                + "another directory.",
                mayPass: false);
    }

    private static string Size(long bytes) => bytes >= 1L << 30
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.0} GB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0.0} MB");
}
