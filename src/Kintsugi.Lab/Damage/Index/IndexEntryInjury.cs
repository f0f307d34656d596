using Kintsugi.Pages;

namespace Kintsugi.Lab.Damage;

/// <summary>Damage to the one index entry that points at a known row.</summary>
/// <param name="name"><inheritdoc cref="Injury"/></param>
/// <param name="accident"><inheritdoc cref="Injury"/></param>
/// <param name="target"><inheritdoc cref="Injury"/></param>
/// <param name="row">A condition that names the row.</param>
/// <param name="pointerAt">Where in an item of this access method the row's place stands.</param>
/// <param name="symptom"><inheritdoc cref="FileInjury"/></param>
/// <param name="failsWith"><inheritdoc cref="FileInjury"/></param>
public abstract class IndexEntryInjury(
    string name, string accident, InjuryTarget target, string row, int pointerAt, string symptom, string? failsWith = null)
    : FileInjury(name, accident, Faults.IndexCorrupt, target, symptom, failsWith)
{
    private protected sealed override async Task<(RelationFile File, Action<RelationFile> Damage)> Aim(
        InjuryRoom room, CancellationToken cancellationToken)
    {
        var place = await room.PlaceOf(Target.Relation, row, cancellationToken);
        var file = await room.FileOf(Target.Object!, cancellationToken);
        return (file, f =>
        {
            var block = f.Find(page =>
                !page.IsNew() && IsLeaf(page) && page.ItemFor(place, pointerAt) > 0, $"an entry for {place}");
            Strike(f, block, f.Read(block).ItemFor(place, pointerAt));
        });
    }

    private protected virtual bool IsLeaf(byte[] page) => page.IsBTreeLeaf();

    private protected abstract void Strike(RelationFile file, int block, int item);

    /// <summary>Settings under which a query has to use an index.</summary>
    protected const string ByIndex = "SET enable_seqscan = off; ";
}

/// <summary>Two neighbours on a leaf stand in the wrong order.</summary>
public sealed class BTreeItemsSwapped() : IndexEntryInjury(
    "btree-items-swapped", "A bug or bad memory exchanged two line pointers before the page was written.",
    new InjuryTarget("public", "external_metadata", "external_metadata_pkey"), "movie_id = 501 AND source = 'tmdb'", 0,
    """
    SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off;
    SELECT bool_or(before > movie_id::text || source::text) FROM (SELECT movie_id, source, lag(movie_id::text || source::text)
      OVER (ORDER BY movie_id, source) AS before FROM external_metadata WHERE movie_id BETWEEN 499 AND 505) AS x
    """)
{
    private protected override void Strike(RelationFile file, int block, int item) => file.Edit(block, page =>
    {
        var other = item < page.ItemCount() ? item + 1 : item - 1;
        var (a, b) = (page.Item(item), page.Item(other));
        page.PutItem(item, b);
        page.PutItem(other, a);
    });
}

/// <summary>An entry under one key that leads to the live row of another.</summary>
public sealed class BTreeEntryExtra() : IndexEntryInjury(
    "btree-entry-extra", "An entry that VACUUM should have removed survived, and its heap slot was used again for another row.",
    new InjuryTarget("public", "movies", "movies_catalogue_number_key"), "id = 900", 0,
    ByIndex + """
    SET enable_bitmapscan = off;
    SELECT count(title) > 1 FROM movies WHERE catalogue_number >= 500899 AND catalogue_number <= 500899
    """)
{
    // The copy goes before its own key, under that of the row before: 500899 now leads to two rows.
    private protected override void Strike(RelationFile file, int block, int item) => file.Edit(block, page =>
    {
        var pointer = page.Item(item);
        var copy = page[pointer.Offset..pointer.End];
        copy.Put32(8, 500899);
        page.InsertItem(item, copy);
    });
}

/// <summary>A bit of a key flipped on the disk.</summary>
public sealed class BTreeBitRot() : IndexEntryInjury(
    "btree-bit-rot", "A bit rotted on the disk; the page's checksum tells.",
    new InjuryTarget("public", "media_files", "media_files_pkey"), "id = 700", 0,
    ByIndex + "SELECT count(path) FROM media_files WHERE id = 700", "XX001")
{
    private protected override void Strike(RelationFile file, int block, int item) =>
        file.Rot(block, page => page[page.Item(item).Offset + 8] ^= 0x40);
}

/// <summary>A leaf page of zeros.</summary>
public sealed class BTreeLeafZeroed() : IndexEntryInjury(
    "btree-leaf-zeroed", "A page was lost after a crash on storage that acknowledged writes it had not done.",
    new InjuryTarget("public", "users", "users_email_key"), "id = 50", 0,
    ByIndex + "SELECT count(handle) FROM users WHERE lower(email) = 'user50@example.org'", "XX002")
{
    private protected override void Strike(RelationFile file, int block, int item) =>
        file.Write(block, new byte[PageFormat.Size]);
}

/// <summary>A hash index that lost one entry.</summary>
public sealed class HashEntryLost() : IndexEntryInjury(
    "hash-entry-lost", "A bucket split was interrupted, or a write was lost.",
    new InjuryTarget("public", "media_files", "media_files_digest_hash"), "id = 500", 0,
    ByIndex + "SELECT count(path) = 0 FROM media_files WHERE digest = md5('file 500')")
{
    private protected override bool IsLeaf(byte[] page) => page.Special() == PageFormat.Size - 16;

    private protected override void Strike(RelationFile file, int block, int item) =>
        file.Edit(block, page => page.RemoveItem(item));
}

/// <summary>A bucket of a hash index is all zero.</summary>
public sealed class HashPageZeroed() : IndexEntryInjury(
    "hash-page-zeroed", "A page was lost after a crash on storage that acknowledged writes it had not done.",
    new InjuryTarget("public", "media_files", "media_files_digest_hash"), "id = 600", 0,
    ByIndex + "SELECT count(path) FROM media_files WHERE digest = md5('file 600')", "XX002")
{
    private protected override bool IsLeaf(byte[] page) => page.Special() == PageFormat.Size - 16;

    private protected override void Strike(RelationFile file, int block, int item) =>
        file.Write(block, new byte[PageFormat.Size]);
}

/// <summary>A GiST index under an exclusion constraint that does not know a row: overlaps would be let in.</summary>
public sealed class GistEntryMissing() : IndexEntryInjury(
    "gist-entry-missing", "A page split went wrong, or a write was lost: the exclusion constraint is blind for one row.",
    new InjuryTarget("public", "screenings", "screenings_no_overlap"), "id = 300", 0,
    ByIndex + """
    SELECT count(*) = 0 FROM screenings WHERE int4range(room, room, '[]') && '[1,1]'::int4range
       AND during && '[2026-03-08 22:10+00,2026-03-08 22:20+00)'::tstzrange
    """)
{
    private protected override bool IsLeaf(byte[] page) =>
        page.Special() == PageFormat.Size - 16 && (page.U16(page.Special() + 12) & 1) == 1;

    private protected override void Strike(RelationFile file, int block, int item) =>
        file.Edit(block, page => page.RemoveItem(item));
}

/// <summary>An entry of an SP-GiST index that leads to no row.</summary>
public sealed class SpGistEntryLost() : IndexEntryInjury(
    "spgist-entry-lost", "Bad memory changed the place that an entry points at.",
    new InjuryTarget("public", "media_files", "media_files_path_spgist"), "id = 500", 6,
    ByIndex + "SELECT count(id) = 0 FROM media_files WHERE path = '/library/5/500/feature.mkv'")
{
    private protected override bool IsLeaf(byte[] page) =>
        page.Special() == PageFormat.Size - 8 && (page.U16(page.Special()) & 7) == 4;

    private protected override void Strike(RelationFile file, int block, int item) =>
        file.Edit(block, page => page.Put16(page.Item(item).Offset + 10, 280));
}
