using Kintsugi.Pages;
using Kintsugi.Postgres.Checks.Indexes;

namespace Kintsugi.Postgres.Checks.Crossing;

/// <summary>
/// Names the rows behind sums that differ: the rows of those parts of the heap are read again and kept by place, and every entry that leads to one
/// of them is held against it.
/// </summary>
internal sealed class Disagreements(IndexSide index)
{
    /// <summary>Beyond that many rows only the first parts are taken apart: more would fill memory and no report.</summary>
    private const int MostRows = 200_000;

    private readonly Dictionary<ulong, ulong> wanted = [];
    private readonly HashSet<ulong> met = [];
    private readonly HashSet<int> buckets = [];

    public List<Tid> Altered { get; } = [];
    public List<Tid> Doubled { get; } = [];

    /// <summary>Rows without an entry, after all entries were met.</summary>
    public IEnumerable<Tid> Missing => wanted.Keys.Where(place => !met.Contains(place)).Order().Select(Unpack);

    public bool HasRoom => wanted.Count < MostRows;

    public void AddBucket(int bucket) => buckets.Add(bucket);

    public bool Has(int bucket) => buckets.Contains(bucket);

    public void Expect(Tid root, ulong digest)
    {
        // Two versions of one row that everyone sees: the second one asks for an entry that cannot be there.
        if (!wanted.TryAdd(root.Packed, digest) && Altered.Count < Suspicions.Most)
            Altered.Add(root);
    }

    public void Meet(Tid root, int bucket, ulong digest)
    {
        if (!buckets.Contains(bucket) || !wanted.TryGetValue(root.Packed, out var asked))
            return;
        if (!met.Add(root.Packed))
            Add(Doubled, root);
        else if (asked != digest)
            Add(Altered, root);
    }

    public IndexSide Index => index;

    private static void Add(List<Tid> list, Tid tid)
    {
        if (list.Count < Suspicions.Most)
            list.Add(tid);
    }

    private static Tid Unpack(ulong place) => new((uint)(place >> 16), (int)(place & 0xFFFF));
}
