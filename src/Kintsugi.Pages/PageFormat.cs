namespace Kintsugi.Pages;

/// <summary>Sizes that every page of every supported server shares (bufpage.h, pg_config.h).</summary>
public static class PageFormat
{
    /// <summary>Bytes in a block. Other block sizes exist only in servers built by hand and are not supported.</summary>
    public const int Size = 8192;

    /// <summary>Bytes of PageHeaderData before the line pointer array.</summary>
    public const int HeaderSize = 24;

    /// <summary>Bytes in one line pointer.</summary>
    public const int LinePointerSize = 4;

    /// <summary>pd_pagesize_version of every page since PostgreSQL 8.3: 8192 bytes, layout 4.</summary>
    public const ushort SizeAndVersion = Size | 4;

    /// <summary>Blocks in one segment file of 1 GiB.</summary>
    public const uint BlocksPerSegment = 131072;

    /// <summary>More line pointers than this fit no heap page: (8192 - 24) / (24 + 4).</summary>
    public const int MaxHeapItems = 291;

    /// <summary>The next multiple of eight, the strictest alignment of the supported platforms (MAXALIGN).</summary>
    public static int Align(int length) => (length + 7) & ~7;
}
