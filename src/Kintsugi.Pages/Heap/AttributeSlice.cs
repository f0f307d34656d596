namespace Kintsugi.Pages.Heap;

/// <summary>In what form a column stands in a tuple.</summary>
public enum AttributeForm
{
    /// <summary>The tuple is older than the column: its value is attmissingval, or null.</summary>
    Missing,

    /// <summary>Null by the bitmap.</summary>
    Null,

    /// <summary>Of fixed length, without a header.</summary>
    Fixed,

    /// <summary>Bytes up to a zero.</summary>
    CString,

    /// <summary>Varlena with a header of one byte.</summary>
    Packed,

    /// <summary>Varlena with a header of four bytes.</summary>
    Plain,

    /// <summary>Varlena compressed in place.</summary>
    Compressed,

    /// <summary>A pointer into the TOAST table.</summary>
    External,

    /// <summary>Could not be found: the tuple is damaged here or before.</summary>
    Unreadable,
}

/// <summary>Where a column lies within its tuple, header included.</summary>
public readonly record struct AttributeSlice(AttributeForm Form, int Offset, int Length)
{
    /// <summary>First byte behind the value.</summary>
    public int End => Offset + Length;

    /// <summary>Bytes of the varlena header.</summary>
    public int HeaderSize => Form switch
    {
        AttributeForm.Packed => 1,
        AttributeForm.Plain => 4,
        AttributeForm.Compressed => 8,
        AttributeForm.External => 2,
        _ => 0,
    };

    /// <summary>The value's bytes without its header; the stored form for compressed and external values.</summary>
    public ReadOnlySpan<byte> Data(ReadOnlySpan<byte> tuple) =>
        Form is AttributeForm.Missing or AttributeForm.Null or AttributeForm.Unreadable
            ? default
            : tuple.Slice(Offset + HeaderSize, Length - HeaderSize - (Form == AttributeForm.CString ? 1 : 0));
}
