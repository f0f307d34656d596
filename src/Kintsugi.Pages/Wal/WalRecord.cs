namespace Kintsugi.Pages.Wal;

/// <summary>A block of a relation fork as WAL names it.</summary>
public readonly record struct BlockAddress(uint Tablespace, uint Database, uint File, int Fork, uint Block);

/// <summary>One block that a WAL record touches.</summary>
/// <param name="Id">The record's own number for it.</param>
/// <param name="Address">Which block.</param>
/// <param name="WillInit">Whether replay builds the page from nothing.</param>
/// <param name="HasImage">Whether a full-page image follows.</param>
/// <param name="ImageApplies">Whether replay restores that image (it may be there for a consistency check only).</param>
/// <param name="ImageAt">Where the image's bytes begin in the record.</param>
/// <param name="ImageLength">How many they are.</param>
/// <param name="HoleAt">Where the zeros left out of the page begin.</param>
/// <param name="HoleLength">How many they are.</param>
/// <param name="Compression">0, or the method's bit: pglz 4 (2 before 15), LZ4 8, Zstandard 16.</param>
/// <param name="DataLength">Bytes of the record that belong to the block.</param>
public readonly record struct WalBlockReference(
    int Id, BlockAddress Address, bool WillInit, bool HasImage, bool ImageApplies, int ImageAt, int ImageLength, int HoleAt,
    int HoleLength, int Compression, int DataLength)
{
    // The bit of pglz, from 15 on and before.
    private bool IsPglz => Compression is 4 or 2;

    /// <summary>
    /// Writes the page that the image holds; false when there is none, or it is compressed by LZ4 or Zstandard. The image
    /// carries the LSN of before: a page restored from it gets the record's end as its LSN, then its checksum.
    /// </summary>
    public bool TryRestore(ReadOnlySpan<byte> record, Span<byte> page)
    {
        var whole = PageFormat.Size - HoleLength;
        if (!HasImage || page.Length != PageFormat.Size || HoleLength < 0 || HoleAt > whole
            || ImageAt + ImageLength > record.Length)
            return false;
        var image = record.Slice(ImageAt, ImageLength);
        if (IsPglz)
        {
            if (!Pglz.TryDecompress(image, page[..whole])) return false;
        }
        else if (Compression == 0 && ImageLength == whole) image.CopyTo(page);
        else return false;
        // The bytes behind the hole move to their place (the spans may overlap), then the hole is cleared.
        page[HoleAt..whole].CopyTo(page[(HoleAt + HoleLength)..]);
        page.Slice(HoleAt, HoleLength).Clear();
        return true;
    }
}

/// <summary>One WAL record. The reader reuses it: what must outlive the next record is copied.</summary>
public sealed class WalRecord
{
    /// <summary>Bytes of the record's header.</summary>
    public const int HeaderSize = 24;

    /// <summary>Where it begins.</summary>
    public ulong Lsn { get; internal set; }

    /// <summary>Where the next one may begin: the LSN that its blocks carry after replay.</summary>
    public ulong End { get; internal set; }

    /// <summary>Timeline of the WAL block where it begins.</summary>
    public uint Timeline { get; internal set; }

    /// <summary>Its whole bytes.</summary>
    public ReadOnlyMemory<byte> Bytes { get; internal set; }

    /// <summary>The blocks it touches.</summary>
    public List<WalBlockReference> Blocks { get; } = [];

    /// <summary>Transaction, or 0.</summary>
    public uint Xid => LittleEndian.U32(Bytes.Span, 4);

    /// <summary>Where the record before it begins.</summary>
    public ulong Previous => LittleEndian.U64(Bytes.Span, 8);

    /// <summary>The resource manager's own bits.</summary>
    public byte Info => Bytes.Span[16];

    /// <summary>The resource manager (rmgrlist.h): 0 XLOG, 1 transaction, 5 tablespace, 9 and 10 heap, 11 btree.</summary>
    public byte ResourceManager => Bytes.Span[17];

    /// <summary>What belongs to no block, of a record that touches none; empty for others (XLogRecordDataHeader, xlogrecord.h).</summary>
    public ReadOnlyMemory<byte> MainData
    {
        get
        {
            for (var at = HeaderSize; at < Bytes.Length;)
                switch (Bytes.Span[at])
                {
                    case 255: return Bytes[Math.Min(at + 2, Bytes.Length)..];
                    case 254: return Bytes[Math.Min(at + 5, Bytes.Length)..];
                    case 253: at += 3; break;
                    case 252: at += 5; break;
                    default: return default;
                }
            return default;
        }
    }

    /// <summary>Whether WAL goes on at the next segment.</summary>
    public bool IsSwitch => ResourceManager == 0 && (Info & 0xF0) == 0x40;
}
