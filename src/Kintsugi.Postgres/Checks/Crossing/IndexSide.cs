using Kintsugi.Pages;
using Kintsugi.Pages.Crossing;
using Kintsugi.Pages.Heap;
using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Files.Offline;

namespace Kintsugi.Postgres.Checks.Crossing;

/// <summary>One index while its table is held against it: sums of what the rows ask for minus what the entries give.</summary>
internal sealed class IndexSide(Located index, IndexShape shape, bool isPartial)
{
    /// <summary>Sums are kept for so many parts of a stretch: where one is not zero, only that part is read again.</summary>
    public const int Buckets = 4096;

    /// <summary>Beyond that the index is not decided at all.</summary>
    public const int MostUndecided = 100_000;

    private readonly ulong[] sums = new ulong[Buckets];
    private readonly HashSet<ulong> undecided = [];
    private readonly AttributeSlice[] slices = new AttributeSlice[shape.Parts.Length];
    /// <summary>The commonest of all: one column of fixed length, which stands right behind the entry's header (itup.h).</summary>
    private readonly bool isOneFixed = shape.Parts is [{ Column: >= 0, IsCutAtZero: false, Stored.Length: > 0 }];

    private const int EntryHeader = 8, NullsBit = 0x80;
    private byte[] scratch = [];

    public Located Index => index;
    public IndexShape Shape => shape;

    /// <summary>Rows are left out of it by right, and which of them only an expression tells.</summary>
    public bool IsPartial => isPartial;

    /// <summary>Why it was not decided to its end, or null.</summary>
    public string? Doubt { get; set; }

    /// <summary>Its pages do not hold together: entries that were not met are no missing ones.</summary>
    public bool IsBroken { get; set; }

    public long Undecided => undecided.Count;

    public void BeginStretch()
    {
        Array.Clear(sums);
        undecided.Clear();
    }

    public ulong SumOf(int bucket) => sums[bucket];

    /// <summary>A row asks for its entry.</summary>
    public void Expect(int bucket, ulong digest) => sums[bucket] += digest;

    /// <summary>An entry answers.</summary>
    public void Meet(int bucket, ulong digest) => sums[bucket] -= digest;

    /// <returns>Whether the row's key can be read.</returns>
    public bool TryDigestRow(ReadOnlySpan<byte> tuple, ReadOnlySpan<AttributeSlice> columns, Tid root, out ulong digest)
    {
        digest = KeyDigest.Start;
        foreach (ref readonly var part in shape.Parts.AsSpan())
        {
            if (part.Column < 0)
                continue;
            ref readonly var slice = ref columns[part.Column];
            if (slice.Form == AttributeForm.Null || (slice.Form == AttributeForm.Missing && part.Missing is null))
                digest = KeyDigest.AddNull(digest);
            else if (StoredValue.TryRead(tuple, slice, part, ref scratch, out var value))
                digest = KeyDigest.Add(digest, value);
            else
            {
                undecided.Add(root.Packed);
                if (undecided.Count > MostUndecided)
                    Doubt = $"{index.Relation.Name}: more than {MostUndecided} rows have keys out of line, which are not read here";
                digest = KeyDigest.At(KeyDigest.Start, root);
                return false;
            }
        }
        digest = KeyDigest.At(digest, root);
        return true;
    }

    public bool IsUndecided(Tid root) => undecided.Contains(root.Packed);

    /// <summary>The digest of an entry's key, to which each of its places is added; null when the entry cannot be read.</summary>
    public ulong? DigestEntry(ReadOnlySpan<byte> entry)
    {
        if (isOneFixed && (entry[7] & NullsBit) == 0 && entry.Length >= EntryHeader + shape.Parts[0].Stored.Length)
            return KeyDigest.Add(KeyDigest.Start, entry.Slice(EntryHeader, shape.Parts[0].Stored.Length));
        return EntryKey.TryLocate(entry, shape.Parts, shape.Parts.Length, slices) ? DigestEntry(entry, slices) : null;
    }

    /// <param name="entry">A leaf entry.</param>
    /// <param name="places">Where its columns lie.</param>
    public ulong? DigestEntry(ReadOnlySpan<byte> entry, ReadOnlySpan<AttributeSlice> places)
    {
        var digest = KeyDigest.Start;
        for (var i = 0; i < places.Length; i++)
        {
            ref readonly var part = ref shape.Parts[i];
            if (part.Column < 0)
                continue;
            if (places[i].Form == AttributeForm.Null)
                digest = KeyDigest.AddNull(digest);
            else if (StoredValue.TryRead(entry, places[i], part, ref scratch, out var value))
                digest = KeyDigest.Add(digest, value);
            else
                return null;
        }
        return digest;
    }
}
