namespace Kintsugi.Pages.Wal;

/// <summary>The header of a WAL block of 8 KiB (XLogPageHeaderData, xlog_internal.h).</summary>
/// <param name="Magic">Names the WAL's format, one for each major version.</param>
/// <param name="Info">XLP_ bits.</param>
/// <param name="Timeline">Timeline of the block's first record.</param>
/// <param name="Address">LSN of the block's first byte.</param>
/// <param name="Remaining">Bytes of a record begun before this block.</param>
public readonly record struct WalPageHeader(ushort Magic, ushort Info, uint Timeline, ulong Address, uint Remaining)
{
    /// <summary>Bytes in a WAL block.</summary>
    public const int PageSize = 8192;

    private const int ShortSize = 24;
    private const int LongSize = 40;

    /// <summary>Whether the block begins within a record.</summary>
    public bool IsContinuation => (Info & 1) != 0;

    /// <summary>Whether the record that the block before began was given up after a crash.</summary>
    public bool OverwritesContinuation => (Info & 8) != 0;

    /// <summary>Bytes before the first record.</summary>
    public int Size => (Info & 2) != 0 ? LongSize : ShortSize;

    /// <summary>Reads the header.</summary>
    public static WalPageHeader Read(ReadOnlySpan<byte> page) => new(LittleEndian.U16(page, 0), LittleEndian.U16(page, 2),
        LittleEndian.U32(page, 4), LittleEndian.U64(page, 8), LittleEndian.U32(page, 16));

    /// <summary>Whether this is the block of that address: a recycled segment still holds its old blocks.</summary>
    public bool IsAt(ulong address) => Address == address && Magic >> 8 == 0xD1 && (Info & ~0xF) == 0;

    /// <summary>Major version that writes this magic number; 0 when it is none of 13-18.</summary>
    public int Major => Magic switch
    {
        0xD106 => 13, 0xD10D => 14, 0xD110 => 15, 0xD113 => 16, 0xD116 => 17, 0xD118 => 18, _ => 0,
    };
}
