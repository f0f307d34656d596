using System.Globalization;
using Kintsugi.Pages;

namespace Kintsugi.Lab.Damage;

/// <summary>Damage to the second chunk of one out-of-line value, in the TOAST table or its index.</summary>
/// <param name="name"><inheritdoc cref="Injury"/></param>
/// <param name="accident"><inheritdoc cref="Injury"/></param>
/// <param name="fault"><inheritdoc cref="Injury"/></param>
/// <param name="value">Which value, counted from 0 in the order of value ids.</param>
/// <param name="inIndex">Whether the TOAST table's index is hit, not the table.</param>
public abstract class ToastInjury(string name, string accident, FaultClass fault, int value, bool inIndex) : FileInjury(
    name, accident, fault, new InjuryTarget("public", "media_files"), "SELECT count(md5(thumbnail)) FROM media_files", "XX")
{
    private protected sealed override async Task<(RelationFile File, Action<RelationFile> Damage)> Aim(
        InjuryRoom room, CancellationToken cancellationToken)
    {
        var toast = await room.ToastOf("media_files", cancellationToken);
        var id = await room.Scalar<uint>(string.Create(CultureInfo.InvariantCulture,
            $"SELECT DISTINCT chunk_id FROM {toast} ORDER BY 1 OFFSET {value} LIMIT 1"), cancellationToken);
        var place = await room.PlaceOf(toast, $"chunk_id = {id} AND chunk_seq = 1", cancellationToken);
        return (await room.FileOf(inIndex ? toast + "_index" : toast, cancellationToken), file =>
        {
            var block = inIndex ? file.Find(page =>
                page.IsBTreeLeaf() && page.ItemFor(place) > 0, "the chunk's entry") : place.Block;
            file.Edit(block, page => Strike(page, inIndex ? page.ItemFor(place) : place.Offset));
        });
    }

    private protected abstract void Strike(byte[] page, int item);
}

/// <summary>A chunk of a large value is gone.</summary>
public sealed class ToastChunkMissing : ToastInjury
{
    public ToastChunkMissing()
        : base("toast-chunk-missing", "A TOAST page lost a row: VACUUM with a wrong horizon, or a lost write.",
            Faults.ToastCorrupt, 0, inIndex: false) => LosesRows = true;

    private protected override void Strike(byte[] page, int item) => page.Put32(LinePointer.Position(item), 0);
}

/// <summary>A chunk claims to be shorter than it is.</summary>
public sealed class ToastChunkSize() : ToastInjury(
    "toast-chunk-size", "Bad memory changed the length of a chunk.", Faults.ToastCorrupt, 3, inIndex: false)
{
    // Behind the tuple's header of 24 bytes: value id, sequence number, then the chunk with its length word (varatt.h).
    private protected override void Strike(byte[] page, int item)
    {
        var length = page.Item(item).Offset + 24 + 8;
        page.Put32(length, page.U32(length) - (100 << 2));
    }
}

/// <summary>The TOAST index does not know a chunk: the value looks lost and is not.</summary>
public sealed class ToastIndexEntryMissing : ToastInjury
{
    public ToastIndexEntryMissing()
        : base("toast-index-entry-missing", "An index update was lost: the large value is whole, but cannot be found.",
            Faults.IndexCorrupt, 6, inIndex: true) => Alike = [Faults.ToastCorrupt];

    private protected override void Strike(byte[] page, int item) => page.RemoveItem(item);
}

/// <summary>A row's pointer names an out-of-line value that does not exist.</summary>
public sealed class ToastPointerWrong() : HeapRowInjury(
    "toast-pointer-wrong", "Bad memory changed the pointer from a row to its large value.",
    Faults.ToastCorrupt, "media_files", "id = 240", "SELECT md5(thumbnail) FROM media_files WHERE id = 240", "XX")
{
    private protected override void Strike(byte[] page, int item)
    {
        // varatt_external behind its two bytes 0x01 0x12: raw size, stored size, value id, TOAST table; it ends the tuple.
        var tuple = Tuple(page, item);
        var tag = page.AsSpan(tuple.Offset, tuple.Length).LastIndexOf<byte>([0x01, 0x12]);
        page.Put32(tuple.Offset + tag + 2 + 8, 4_000_000_001);
    }
}
