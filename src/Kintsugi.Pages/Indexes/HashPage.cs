namespace Kintsugi.Pages.Indexes;

/// <summary>The special space of a hash page (HashPageOpaqueData, hash.h).</summary>
/// <param name="Previous">The page before in the bucket, or the number of buckets at the latest split.</param>
/// <param name="Next">The next overflow page, or 0xFFFFFFFF.</param>
/// <param name="Bucket">The bucket.</param>
/// <param name="Flags">LH_ bits.</param>
/// <param name="Tag">0xFF80.</param>
public readonly record struct HashPage(uint Previous, uint Next, uint Bucket, ushort Flags, ushort Tag)
{
    /// <summary>Magic number of the metapage.</summary>
    public const uint Magic = 0x6440640;

    private const int Version = 4;
    private const int KnownFlags = 0xFF;
    private const uint Phases = 98;
    private const int TypeMask = 0xF;

    /// <summary>Reads the special space of a page whose pd_special is right.</summary>
    public static HashPage Read(ReadOnlySpan<byte> page)
    {
        var at = PageFormat.Size - 16;
        return new(LittleEndian.U32(page, at), LittleEndian.U32(page, at + 4), LittleEndian.U32(page, at + 8),
            LittleEndian.U16(page, at + 12), LittleEndian.U16(page, at + 14));
    }

    internal static void ReadInto(ReadOnlySpan<byte> page, in PageHeader header, uint block, IndexPageContent content)
    {
        var own = Read(page);
        if (own.Tag != IndexKinds.HashTag)
        {
            content.Add(FlawKind.NotThisKind, header.Special + 14, actual: own.Tag, expected: IndexKinds.HashTag);
            return;
        }
        var role = (own.Flags & TypeMask) switch
        {
            0 => IndexPageRole.Deleted,
            1 or 2 => IndexPageRole.Leaf,
            4 => IndexPageRole.Map,
            8 => IndexPageRole.Meta,
            _ => IndexPageRole.Impossible,
        };
        if ((own.Flags & ~KnownFlags) != 0 || role == IndexPageRole.Meta != (block == 0)) role = IndexPageRole.Impossible;
        content.Role = role;
        if (role == IndexPageRole.Impossible) content.Add(FlawKind.PageFlagsImpossible, header.Special + 12, actual: own.Flags);
        else if (role == IndexPageRole.Meta) ReadMeta(page, content);
        else if (role == IndexPageRole.Leaf) ReadEntries(page, header, content);
    }

    private static void ReadMeta(ReadOnlySpan<byte> page, IndexPageContent content)
    {
        var magic = LittleEndian.U32(page, PageFormat.HeaderSize);
        var version = LittleEndian.U32(page, PageFormat.HeaderSize + 4);
        if (magic != Magic) content.Add(FlawKind.MetaMagicWrong, PageFormat.HeaderSize, actual: magic, expected: Magic);
        if (version != Version)
            content.Add(FlawKind.MetaVersionWrong, PageFormat.HeaderSize + 4, actual: version, expected: Version);
        ReadNumbers(page, content);
    }

    // What _hash_init_metabuffer and _hash_expandtable keep true at every moment (hashpage.c).
    private static void ReadNumbers(ReadOnlySpan<byte> page, IndexPageContent content)
    {
        const int at = PageFormat.HeaderSize, sizes = at + 18, buckets = at + 24, maps = at + 44, spares = at + 52;
        Must(LittleEndian.U16(page, sizes), PageFormat.Size - PageFormat.HeaderSize - 16, sizes, content);
        Must(LittleEndian.U16(page, sizes + 2), 4096, sizes + 2, content);
        Must(LittleEndian.U16(page, sizes + 4), 15, sizes + 4, content);
        var (last, high, low) = (LittleEndian.U32(page, buckets), LittleEndian.U32(page, buckets + 4), LittleEndian.U32(page, buckets + 8));
        if ((high & (high + 1)) != 0) content.Add(FlawKind.OffsetImpossible, buckets + 4, actual: high, expected: last);
        Must(low, high >> 1, buckets + 8, content);
        if (last > high || last < low) content.Add(FlawKind.OffsetImpossible, buckets, actual: last, expected: high);
        if (LittleEndian.U32(page, buckets + 12) >= Phases) content.Add(FlawKind.OffsetImpossible, buckets + 12, actual: LittleEndian.U32(page, buckets + 12), expected: Phases);
        if (LittleEndian.U32(page, maps) is 0 or > 1024) content.Add(FlawKind.OffsetImpossible, maps, actual: LittleEndian.U32(page, maps), expected: 1024);
        for (var phase = 1u; phase <= Math.Min(LittleEndian.U32(page, buckets + 12), Phases - 1); phase++)
            if (LittleEndian.U32(page, spares + (4 * (int)phase)) is var own && own < LittleEndian.U32(page, spares + (4 * (int)(phase - 1))))
                content.Add(FlawKind.OffsetImpossible, spares + (4 * (int)phase), actual: own, expected: LittleEndian.U32(page, spares + (4 * (int)(phase - 1))));
    }

    private static void Must(long actual, long expected, int at, IndexPageContent content)
    {
        if (actual != expected) content.Add(FlawKind.FieldImpossible, at, actual: actual, expected: expected);
    }

    // Entries of a page stand in the order of their hash code, which is searched by halves.
    private static void ReadEntries(ReadOnlySpan<byte> page, in PageHeader header, IndexPageContent content)
    {
        IndexItems.CheckSpace(page, header, content);
        var before = 0u;
        for (var item = 1; item <= header.ItemCount; item++)
        {
            if (!IndexItems.TryGet(page, header, item, content, out var line)) continue;
            var tuple = IndexTuple.Read(page, line.Offset);
            if (PageFormat.Align(tuple.Size) != PageFormat.Align(line.Length) || tuple.Size < 12)
            {
                content.Add(FlawKind.IndexTupleSizeWrong, line.Offset + 6, item, tuple.Size, line.Length);
                continue;
            }
            var code = LittleEndian.U32(page, line.Offset + IndexTuple.HeaderSize);
            if (code < before) content.Add(FlawKind.KeyOutOfOrder, line.Offset + IndexTuple.HeaderSize, item);
            before = code;
            content.AddRow(tuple.Tid, item, line.Offset, line.State == LinePointerState.Dead);
        }
    }
}
