namespace Kintsugi.State;

/// <summary>What is kept: a snapshot beyond any of these limits goes, the oldest first.</summary>
public sealed record SnapshotsKept
{
    public int? Last { get; init; }
    public TimeSpan? Age { get; init; }
    public long? Bytes { get; init; }
}

/// <param name="Reason">Why it goes, or why it stays although a limit says otherwise.</param>
public sealed record Pruned(SnapshotManifest Snapshot, bool Goes, string Reason);

/// <summary>Decides which snapshots go: a pure function of what is there, the limits, the cases and the clock.</summary>
public static class SnapshotPruning
{
    /// <returns>Those beyond a limit, oldest first, with those that stay because their case is not closed.</returns>
    public static IReadOnlyList<Pruned> Choose(
        IReadOnlyList<SnapshotManifest> snapshots, SnapshotsKept kept, IReadOnlyList<CaseRow> cases, DateTimeOffset now)
    {
        var open = cases.Where(row => row.State is not ("healed" or "transient" or "undone")).ToDictionary(row => row.Id);
        var oldestFirst = snapshots.OrderBy(snapshot => snapshot.Created).ToList();
        var bytes = oldestFirst.Sum(snapshot => snapshot.Bytes);
        var left = oldestFirst.Count;
        var chosen = new List<Pruned>();
        foreach (var snapshot in oldestFirst)
        {
            var reason = kept.Age is { } age && now - snapshot.Created > age ? $"older than {age.TotalDays:0.#} days"
                : left > kept.Last ? $"more than {kept.Last} snapshots"
                : bytes > kept.Bytes ? $"more than {kept.Bytes >> 20} MB in all"
                : null;
            if (reason is null)
                continue;
            // One copy may serve several cases: the manifest names the one that it was taken for, and the others name it.
            if (open.Values.FirstOrDefault(row => row.Id == snapshot.Case || row.Snapshot == snapshot.Id) is { } row)
            {
                chosen.Add(new Pruned(snapshot, false, $"kept: its case {row.Id} is {row.State} and this may be the last good copy"));
                continue;
            }
            chosen.Add(new Pruned(snapshot, true, reason));
            left--;
            bytes -= snapshot.Bytes;
        }
        return chosen;
    }

    /// <summary>Removes those that go, and drafts that a killed process left behind more than a day ago.</summary>
    public static void Remove(SnapshotStore store, IReadOnlyList<Pruned> chosen, DateTimeOffset now)
    {
        foreach (var pruned in chosen.Where(pruned => pruned.Goes))
        {
            var place = store.PlaceOf(pruned.Snapshot.Id);
            var aside = Path.Combine(store.Directory, $".removed-{pruned.Snapshot.Id}");
            Directory.Move(place, aside);
            Directory.Delete(aside, recursive: true);
        }
        if (!Directory.Exists(store.Directory))
            return;
        foreach (var debris in Directory.EnumerateDirectories(store.Directory, ".*"))
            if (now.UtcDateTime - Directory.GetLastWriteTimeUtc(debris) > TimeSpan.FromDays(1))
                Directory.Delete(debris, recursive: true);
    }
}
