using System.Text;

namespace Kintsugi.Lab.Damage;

/// <summary>The tail of an index file is gone.</summary>
public sealed class BTreeTruncated() : FileInjury(
    "btree-truncated", "A copy of the data directory was cut short, or the file system lost the end of a file.",
    Faults.IndexCorrupt, new InjuryTarget("public", "movies", "movies_search_key_idx"),
    """
    SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off;
    SELECT count(minutes) FROM (SELECT minutes FROM movies ORDER BY search_key(title) OFFSET 0) AS sorted
    """, "XX")
{
    private protected override async Task<(RelationFile, Action<RelationFile>)> Aim(InjuryRoom room,
        CancellationToken cancellationToken) =>
        (await room.FileOf(Target.Object!, cancellationToken), file => file.Truncate(file.Blocks / 2));
}

/// <summary>A leaf's link to its right sibling skips a page: scans pass by a page of rows.</summary>
public sealed class BTreeSiblingLink() : FileInjury(
    "btree-sibling-link", "A page split or a page deletion was written in part.",
    Faults.IndexCorrupt, new InjuryTarget("public", "movie_genres", "movie_genres_pkey"),
    """
    SET enable_seqscan = off; SET enable_bitmapscan = off;
    SELECT (SELECT count(*) FROM movie_genres WHERE movie_id > 0) < (SELECT count(*) FROM movie_genres WHERE weight > 0)
    """)
{
    private protected override async Task<(RelationFile, Action<RelationFile>)> Aim(InjuryRoom room,
        CancellationToken cancellationToken) =>
        (await room.FileOf(Target.Object!, cancellationToken), file =>
        {
            var leaf = file.Find(
                page => page.IsBTreeLeaf() && page.BTreeNext() != 0 && file.Read((int)page.BTreeNext()).BTreeNext() != 0,
                "two right siblings");
            file.Edit(leaf, page => page.Put32(page.Special() + 4, file.Read((int)page.BTreeNext()).BTreeNext()));
        });
}

/// <summary>A GIN index that lost a whole key with all of its rows.</summary>
public sealed class GinEntryMissing() : FileInjury(
    "gin-entry-missing", "A write was lost, or the pending list was cleared without being merged.",
    Faults.IndexCorrupt, new InjuryTarget("public", "movies", "movies_tags_gin"),
    """
    SET enable_seqscan = off;
    SELECT (SELECT count(*) FROM movies WHERE tags @> ARRAY['tag13']) < (SELECT count(*) FROM movies WHERE 'tag13' = ANY (tags))
    """)
{
    private protected override async Task<(RelationFile, Action<RelationFile>)> Aim(InjuryRoom room,
        CancellationToken cancellationToken) =>
        (await room.FileOf(Target.Object!, cancellationToken), file =>
        {
            // The key is a short varlena behind the index tuple's header of eight bytes.
            byte[] key = [(byte)(((5 + 1) << 1) | 1), .. Encoding.UTF8.GetBytes("tag13")];
            int ItemOf(byte[] page) => page.Items().FirstOrDefault(
                n => page.AsSpan(page.Item(n).Offset + 8).StartsWith(key));
            var block = file.Find(page => GinPage.IsEntryLeaf(page) && ItemOf(page) > 0, "the key tag13");
            file.Edit(block, page => page.RemoveItem(ItemOf(page)));
        });
}

/// <summary>A leaf of a GIN index is all zero: searches there may never end, so nobody should search.</summary>
public sealed class GinPageZeroed() : FileInjury(
    "gin-page-zeroed", "A page was lost after a crash on storage that acknowledged writes it had not done.",
    Faults.IndexCorrupt, new InjuryTarget("public", "movies", "movies_details_gin"),
    // A search in this state can spin beyond cancellation; the bytes on the disk have to do as proof.
    "SELECT pg_relation_size('movies_details_gin') > 0")
{
    private protected override async Task<(RelationFile, Action<RelationFile>)> Aim(InjuryRoom room,
        CancellationToken cancellationToken) =>
        (await room.FileOf(Target.Object!, cancellationToken),
         file => file.Write(file.Find(GinPage.IsEntryLeaf, "entries"), new byte[Pages.PageFormat.Size]));
}

/// <summary>BRIN summaries that leave out rows of their ranges.</summary>
public sealed class BrinSummaryNarrow() : FileInjury(
    "brin-summary-narrow", "A row was inserted while the summary's update was lost: the range looks smaller than it is.",
    Faults.IndexCorrupt, new InjuryTarget("public", "watch_history_2025h1", "watch_history_2025h1_watched_at_idx"),
    """
    SET enable_seqscan = off; SET enable_indexscan = off; SET enable_indexonlyscan = off;
    SELECT (SELECT count(device) FROM watch_history_2025h1 WHERE watched_at BETWEEN '2025-03-15' AND '2025-03-16')
         < (SELECT count(device) FROM watch_history_2025h1 WHERE watched_at + '0 s' BETWEEN '2025-03-15' AND '2025-03-16')
    """)
{
    private const int RegularPage = 0xF093;

    private protected override async Task<(RelationFile, Action<RelationFile>)> Aim(InjuryRoom room,
        CancellationToken cancellationToken) =>
        (await room.FileOf(Target.Object!, cancellationToken), file =>
        {
            // Block number, one byte of flags, padding, then the least and the greatest value of eight bytes each.
            var block = file.Find(page =>
                page.U16(Pages.PageFormat.Size - 2) == RegularPage && page.Items().Count() > 2, "summaries");
            file.Edit(block, page =>
            {
                foreach (var summary in page.Items().Select(n => page.Item(n).Offset))
                    page.AsSpan(summary + 8, 8).CopyTo(page.AsSpan(summary + 16, 8));
            });
        });
}

/// <summary>What marks a page of a GIN index (ginblock.h).</summary>
internal static class GinPage
{
    /// <summary>A leaf of the entry tree: GIN_LEAF alone.</summary>
    public static bool IsEntryLeaf(byte[] page) =>
        !page.IsNew() && page.Special() == Pages.PageFormat.Size - 8 && page.U16(page.Special() + 6) == 2;
}
