namespace Kintsugi.Pages.Heap;

/// <summary>The first 23 bytes of a row version (HeapTupleHeaderData, htup_details.h).</summary>
/// <param name="Xmin">The transaction that wrote it, raw: see <see cref="IsFrozen"/>.</param>
/// <param name="Xmax">The transaction or multixact that deleted or locked it.</param>
/// <param name="Command">Command id within the transaction; tells nothing after its end.</param>
/// <param name="Ctid">Itself, or the next version after an update.</param>
/// <param name="InfoMask2">Number of attributes and the HOT bits.</param>
/// <param name="InfoMask">Hint bits and what the tuple contains.</param>
/// <param name="DataStart">t_hoff: where the first column begins.</param>
public readonly record struct HeapTupleHeader(
    uint Xmin, uint Xmax, uint Command, Tid Ctid, ushort InfoMask2, ushort InfoMask, int DataStart)
{
    /// <summary>Bytes before the null bitmap.</summary>
    public const int FixedSize = 23;

    /// <summary>No tuple is shorter than its aligned header.</summary>
    public const int MinimumSize = 24;

    // ctid item numbers that say something else than a place (itemptr.h).
    private const int SpeculativeToken = 0xFFFE;
    private const int MovedPartitions = 0xFFFD;

    /// <summary>Reads the header from the tuple's bytes, at least 24.</summary>
    public static HeapTupleHeader Read(ReadOnlySpan<byte> tuple) => new(
        LittleEndian.U32(tuple, 0), LittleEndian.U32(tuple, 4), LittleEndian.U32(tuple, 8), Tid.Read(tuple, 12),
        LittleEndian.U16(tuple, 18), LittleEndian.U16(tuple, 20), tuple[22]);

    /// <summary>Attributes stored; later columns of the table are missing and take their default of that time.</summary>
    public int AttributeCount => InfoMask2 & 0x07FF;

    /// <summary>Whether a null bitmap follows.</summary>
    public bool HasNulls => Has(0x0001);

    /// <summary>Whether a value of variable length follows.</summary>
    public bool HasVarlena => Has(0x0002);

    /// <summary>Whether a value may lie in the TOAST table.</summary>
    public bool HasExternal => Has(0x0004);

    /// <summary>Whether xmax only locked the row, or nothing (HEAP_XMAX_IS_LOCKED_ONLY).</summary>
    public bool IsLockedOnly => Has(0x0080) || (InfoMask & 0x1050) == 0x0040;

    /// <summary>Hint: xmin committed.</summary>
    public bool XminCommitted => Has(0x0100);

    /// <summary>Hint: xmin aborted (not when frozen).</summary>
    public bool XminInvalid => (InfoMask & 0x0300) == 0x0200;

    /// <summary>Whether xmin is older than every snapshot (both xmin hints).</summary>
    public bool IsFrozen => (InfoMask & 0x0300) == 0x0300;

    /// <summary>Hint: xmax committed.</summary>
    public bool XmaxCommitted => Has(0x0400);

    /// <summary>Hint: xmax aborted, or there is none.</summary>
    public bool XmaxInvalid => Has(0x0800);

    /// <summary>Whether xmax is a multixact.</summary>
    public bool XmaxIsMulti => Has(0x1000);

    /// <summary>A multixact that pg_upgrade brought from 9.2 or older: only locks, never looked up.</summary>
    public bool IsLockedUpgraded => XmaxIsMulti && Has(0x0080) && (InfoMask & 0x0050) == 0;

    /// <summary>Whether this is the result of an update.</summary>
    public bool IsUpdated => Has(0x2000);

    /// <summary>Whether the command field is an xvac of VACUUM FULL before 9.0.</summary>
    public bool IsMoved => (InfoMask & 0xC000) != 0;

    /// <summary>Whether a HOT update followed that was not seen to abort (HeapTupleHeaderIsHotUpdated).</summary>
    public bool IsHotUpdated => (InfoMask2 & 0x4000) != 0 && !XmaxInvalid && !XminInvalid;

    /// <summary>Whether only a HOT chain leads here: no index entry does.</summary>
    public bool IsHeapOnly => (InfoMask2 & 0x8000) != 0;

    /// <summary>Whether the row was moved to another partition, so that ctid is no place.</summary>
    public bool IsMovedToOtherPartition => Ctid.Block == Tid.NoBlock && Ctid.Item == MovedPartitions;

    /// <summary>Whether ctid holds the token of an INSERT … ON CONFLICT that had not decided yet.</summary>
    public bool IsSpeculative => Ctid.Item == SpeculativeToken;

    /// <summary>Whether a transaction deleted or updated it, by the hint bits alone.</summary>
    public bool IsDeletedByHints => !XmaxInvalid && !IsLockedOnly && XmaxCommitted;

    /// <summary>Bytes of the null bitmap.</summary>
    public int NullBitmapSize => HasNulls ? (AttributeCount + 7) / 8 : 0;

    /// <summary>What <see cref="DataStart"/> has to be.</summary>
    public int ExpectedDataStart => PageFormat.Align(FixedSize + NullBitmapSize);

    /// <summary>Whether attribute <paramref name="index"/> (from 0) is null by the bitmap behind the header.</summary>
    public bool IsNull(ReadOnlySpan<byte> tuple, int index) =>
        HasNulls && FixedSize + index / 8 < tuple.Length && (tuple[FixedSize + index / 8] & (1 << (index % 8))) == 0;

    private bool Has(int bits) => (InfoMask & bits) != 0;
}
