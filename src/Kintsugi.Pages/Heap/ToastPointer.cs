namespace Kintsugi.Pages.Heap;

/// <summary>Compression of a stored value. Before 14 only pglz existed and the two bits were part of the size.</summary>
public enum CompressionMethod
{
    /// <summary>PostgreSQL's own.</summary>
    Pglz = 0,

    /// <summary>LZ4, since 14.</summary>
    Lz4 = 1,
}

/// <summary>A value kept in the TOAST table (varatt_external, varatt.h).</summary>
/// <param name="RawSize">Bytes of the value uncompressed, its header of four included.</param>
/// <param name="StoredSize">Bytes stored in the chunks.</param>
/// <param name="Method">Compression bits as they stand; meaningful when <see cref="IsCompressed"/>.</param>
/// <param name="ValueId">chunk_id of its chunks.</param>
/// <param name="ToastRelation">OID of the TOAST table.</param>
public readonly record struct ToastPointer(int RawSize, int StoredSize, int Method, uint ValueId, uint ToastRelation)
{
    /// <summary>The tag of a pointer that may reach the disk (VARTAG_ONDISK).</summary>
    public const byte DiskTag = 18;

    /// <summary>Bytes of a pointer with its two bytes of header.</summary>
    public const int Size = 18;

    /// <summary>No value is larger than a varlena can say.</summary>
    public const int SizeLimit = 0x3FFFFFFF;

    /// <summary>Data bytes in every chunk but the last (TOAST_MAX_CHUNK_SIZE at 8 KiB pages).</summary>
    public const int ChunkSize = 1996;

    /// <summary>Whether the chunks hold compressed bytes.</summary>
    public bool IsCompressed => StoredSize < RawSize - 4;

    /// <summary>How many chunks the value has.</summary>
    public int ChunkCount => (StoredSize + ChunkSize - 1) / ChunkSize;

    /// <summary>Bytes that chunk <paramref name="sequence"/> must have.</summary>
    public int ChunkLength(int sequence) => Math.Clamp(StoredSize - sequence * ChunkSize, 0, ChunkSize);

    /// <summary>Whether the sizes can be true.</summary>
    public bool IsPossible => RawSize is >= 4 and <= SizeLimit && StoredSize >= 0 && StoredSize <= RawSize - 4
        && (!IsCompressed || Method is 0 or 1);

    /// <summary>Reads the sixteen bytes behind the header.</summary>
    public static ToastPointer Read(ReadOnlySpan<byte> data) => new(
        LittleEndian.I32(data, 0), (int)(LittleEndian.U32(data, 4) & SizeLimit), (int)(LittleEndian.U32(data, 4) >> 30),
        LittleEndian.U32(data, 8), LittleEndian.U32(data, 12));
}
