using Kintsugi.Pages;

namespace Kintsugi.Lab.Damage;

/// <summary>Damage to the bytes of one row.</summary>
/// <param name="name"><inheritdoc cref="Injury"/></param>
/// <param name="accident"><inheritdoc cref="Injury"/></param>
/// <param name="fault"><inheritdoc cref="Injury"/></param>
/// <param name="table">A table of schema public.</param>
/// <param name="row">A condition that names the row.</param>
/// <param name="symptom"><inheritdoc cref="FileInjury"/></param>
/// <param name="failsWith"><inheritdoc cref="FileInjury"/></param>
public abstract class HeapRowInjury(
    string name, string accident, FaultClass fault, string table, string row, string symptom, string? failsWith = null)
    : FileInjury(name, accident, fault, new InjuryTarget("public", table), symptom, failsWith)
{
    /// <summary>Where in a tuple its header keeps xmin, xmax, infomask and hoff (htup_details.h).</summary>
    private protected const int Xmin = 0, Xmax = 4, Infomask = 20, HeaderSize = 22;

    /// <summary>Whether the page gets a fitting checksum: software did it; or keeps the old one: the disk did it.</summary>
    private protected virtual bool Sealed => true;

    /// <summary>
    /// A column and a condition that name a neighbour on the same page, to be updated to itself first: readers do not look at the
    /// transactions of rows on a page that is marked all-visible. Null when that does not matter.
    /// </summary>
    private protected virtual (string Column, string Row)? Neighbour => null;

    private protected sealed override async Task<(RelationFile File, Action<RelationFile> Damage)> Aim(
        InjuryRoom room, CancellationToken cancellationToken)
    {
        if (Neighbour is var (column, neighbour))
            await room.Execute(
                $"SET session_replication_role = replica; UPDATE {table} SET {column} = {column} WHERE {neighbour}",
                cancellationToken);
        var (block, item) = await room.PlaceOf(table, row, cancellationToken);
        var file = await room.FileOf(table, cancellationToken);
        return (file, f =>
        {
            if (Sealed)
                f.Edit(block, page => Strike(page, item));
            else
                f.Rot(block, page => Strike(page, item));
        });
    }

    private protected abstract void Strike(byte[] page, int item);

    private protected static LinePointer Tuple(byte[] page, int item) => page.Item(item);
}

/// <summary>One bit of a row rotted on the disk.</summary>
public sealed class HeapBitRot : HeapRowInjury
{
    public HeapBitRot()
        : base(
            "heap-bit-rot", "A bit rotted on the disk; the page's checksum tells.",
            Faults.PageChecksum, "episodes", "id = 100", "SELECT count(title) FROM episodes", "XX001")
    {
        Alike = [Faults.HeapCorrupt];
    }

    private protected override bool Sealed => false;

    // The last bytes of a tuple are its last column: here a date, which stays readable.
    private protected override void Strike(byte[] page, int item) => page[Tuple(page, item).End - 4] ^= 0x01;
}

/// <summary>The page's header claims that its line pointers reach beyond its tuples.</summary>
public sealed class HeapHeaderDamaged : HeapRowInjury
{
    public HeapHeaderDamaged()
        : base(
            "heap-page-header", "Bad memory changed a page header before the checksum was made.",
            Faults.PageInvalid, "ratings_odd", "stars >= 0", "SELECT count(stars) FROM ratings_odd", "XX001")
    {
        Alike = [Faults.HeapCorrupt];
    }

    private protected override void Strike(byte[] page, int item) => page.Put16(12, page.U16(14) + 64);
}

/// <summary>The line pointer of a live row is marked unused: bytes and index entries are there, the row is not.</summary>
public sealed class HeapLinePointerLost() : HeapRowInjury(
    "heap-line-pointer-lost", "A bug in pruning or bad memory freed a slot that was in use.",
    Faults.HeapCorrupt, "media_files", "id = 300", "SELECT count(*) = 0 FROM media_files WHERE digest || '' = md5('file 300')")
{
    private protected override void Strike(byte[] page, int item) => page.Put32(LinePointer.Position(item), 0);
}

/// <summary>A row that claims to have been written by a transaction of the future: nobody sees it.</summary>
public sealed class HeapXminFuture() : HeapRowInjury(
    "heap-xmin-future", "A page came from another cluster, or the transaction counter was reset with pg_resetwal.",
    Faults.HeapCorrupt, "seasons", "series_id = 10 AND season = 2",
    "SELECT count(label) = 0 FROM seasons WHERE series_id + 0 = 10 AND season + 0 = 2")
{
    private protected override (string Column, string Row)? Neighbour => ("label", "series_id = 10 AND season = 3");

    private protected override void Strike(byte[] page, int item)
    {
        var at = Tuple(page, item).Offset;
        page.Put32(at + Xmin, 900_000_000);
        page.Put16(at + Infomask, page.U16(at + Infomask) & ~0x0300);
    }
}

/// <summary>A live row that is marked as deleted by a committed transaction: it vanishes.</summary>
public sealed class HeapXmaxSet() : HeapRowInjury(
    "heap-xmax-set", "Hint bits were set wrongly after the commit log was damaged: a live row counts as deleted.",
    Faults.HeapCorrupt, "users", "id = 63", "SELECT count(handle) = 0 FROM users WHERE handle || '' = 'user63'")
{
    private protected override (string Column, string Row)? Neighbour => ("settings", "id = 64");

    private protected override void Strike(byte[] page, int item)
    {
        var at = Tuple(page, item).Offset;
        page.Put32(at + Xmax, page.U32(at + Xmin));
        page.Put16(at + Infomask, (page.U16(at + Infomask) & ~0x18D0) | 0x0400);
    }
}

/// <summary>A row's header claims to be longer than it is: every column is read from the wrong place.</summary>
public sealed class HeapHeaderOffset() : HeapRowInjury(
    "heap-tuple-header", "Bad memory changed a tuple header: values are read from the wrong place, which can crash a backend.",
    Faults.HeapCorrupt, "watch_notes", "watch_id = 50", "SELECT count(*) = 0 FROM watch_notes WHERE watch_id + 0 = 50")
{
    private protected override void Strike(byte[] page, int item) => page[Tuple(page, item).Offset + HeaderSize] += 8;
}
