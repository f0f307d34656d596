namespace Kintsugi.Pages.Indexes;

/// <summary>The access methods of PostgreSQL itself.</summary>
public enum IndexKind
{
    /// <summary>None of them: a heap page, a map, a sequence, or damage.</summary>
    None,

    /// <summary>btree.</summary>
    Btree,

    /// <summary>gin.</summary>
    Gin,

    /// <summary>gist.</summary>
    Gist,

    /// <summary>spgist.</summary>
    SpGist,

    /// <summary>hash.</summary>
    Hash,

    /// <summary>brin.</summary>
    Brin,
}

/// <summary>What a page is for within its index.</summary>
public enum IndexPageRole
{
    /// <summary>Not a page of this access method, or so damaged that nothing on it can be believed.</summary>
    Impossible,

    /// <summary>All zero: never written, or lost.</summary>
    New,

    /// <summary>Where the index begins.</summary>
    Meta,

    /// <summary>Leads to other pages of the index.</summary>
    Inner,

    /// <summary>Leads to rows.</summary>
    Leaf,

    /// <summary>GIN's list of rows not yet sorted in.</summary>
    Pending,

    /// <summary>Administers the index's own pages or block ranges: hash bitmap, BRIN revmap.</summary>
    Map,

    /// <summary>Out of use, waiting to be recycled.</summary>
    Deleted,
}

/// <summary>Recognises access methods by the special space that each leaves on its pages.</summary>
public static class IndexKinds
{
    internal const ushort GistTag = 0xFF81;
    internal const ushort SpGistTag = 0xFF82;
    internal const ushort HashTag = 0xFF80;

    /// <summary>By pg_am.amname; None for what is not PostgreSQL's own.</summary>
    public static IndexKind Of(string accessMethod) => accessMethod switch
    {
        "btree" => IndexKind.Btree,
        "gin" => IndexKind.Gin,
        "gist" => IndexKind.Gist,
        "spgist" => IndexKind.SpGist,
        "hash" => IndexKind.Hash,
        "brin" => IndexKind.Brin,
        _ => IndexKind.None,
    };

    /// <summary>The kind that the special space speaks for; btree and GIN carry no tag and are told by their flags.</summary>
    public static IndexKind Detect(ReadOnlySpan<byte> page)
    {
        if (page.Length != PageFormat.Size) return IndexKind.None;
        var header = PageHeader.Read(page);
        if (header.IsNew || !header.IsPossible || header.SpecialSize is not (8 or 16)) return IndexKind.None;
        var tag = LittleEndian.U16(page, PageFormat.Size - 2);
        if (header.SpecialSize == 16)
            return tag switch
            {
                GistTag => IndexKind.Gist,
                HashTag => IndexKind.Hash,
                _ => (LittleEndian.U16(page, PageFormat.Size - 4) & ~0x1FF) == 0 ? IndexKind.Btree : IndexKind.None,
            };
        return tag switch
        {
            SpGistTag => IndexKind.SpGist,
            BrinPage.MetaTag or BrinPage.MapTag or BrinPage.RegularTag => IndexKind.Brin,
            _ => (tag & ~0xFF) == 0 ? IndexKind.Gin : IndexKind.None,
        };
    }

    /// <summary>Bytes of the special space that this access method leaves.</summary>
    public static int SpecialSize(IndexKind kind) => kind switch
    {
        IndexKind.Btree or IndexKind.Gist or IndexKind.Hash => 16,
        IndexKind.Gin or IndexKind.SpGist or IndexKind.Brin => 8,
        _ => 0,
    };
}
