using System.Buffers.Binary;
using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Pages.Wal;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Files.Offline;

namespace Kintsugi.Postgres.Repairs.Catalog;

/// <summary>Rows of a catalog that the WAL saw being deleted, as they were: a full-page image holds them, and the image itself or a record behind it their deletion.</summary>
internal static class LoggedRows
{
    // rmgrlist.h and heapam_xlog.h: xl_heap_delete begins with the deleter and the line pointer, and so does xl_heap_update with the old version's.
    private const int Heap = 10, Delete = 0x10, Update = 0x20, HotUpdate = 0x40, Operation = 0x70;
    private const int DeleteSize = 8, UpdateSize = 14, XmaxAt = 4;

    /// <param name="key">What identifies a row that is wanted, or null of another.</param>
    /// <returns>The last version of each, its deleter in its header. Whether the deleter committed is not asked.</returns>
    public static async ValueTask<IReadOnlyDictionary<TKey, (Tid Tid, byte[] Tuple)>> Deleted<TKey>(
        string directory, Relation catalog, Patient patient, Func<byte[], TKey?> key, CancellationToken cancellationToken) where TKey : class
    {
        var database = (await patient.Session.Rows("SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()", row => row.GetFieldValue<uint>(0), cancellationToken))[0];
        if (!uint.TryParse(Path.GetFileName(catalog.Path), out var file))
            return new Dictionary<TKey, (Tid, byte[])>();
        var seen = new Dictionary<Tid, (TKey Key, byte[] Tuple)>();
        WalRemains.Read(directory, (record, _) =>
        {
            foreach (var block in record.Blocks)
                if (block.Address is { Fork: 0 } address && address.Database == database && address.File == file)
                    Hear(record, block, key, seen);
        }, cancellationToken);
        var deleted = seen.Where(pair => HeapTupleHeader.Read(pair.Value.Tuple) is { XmaxInvalid: false, IsLockedOnly: false }).GroupBy(pair => pair.Value.Key);
        // Of a row that was written again and deleted again it is not asked which was the last.
        return deleted.Where(group => group.Count() == 1).ToDictionary(group => group.Key, group => (group.First().Key, group.First().Value.Tuple));
    }

    private static void Hear<TKey>(WalRecord record, in WalBlockReference block, Func<byte[], TKey?> key, Dictionary<Tid, (TKey Key, byte[] Tuple)> seen) where TKey : class
    {
        var page = new byte[PageFormat.Size];
        if (block.TryRestore(record.Bytes.Span, page))
        {
            var number = block.Address.Block;
            foreach (var old in seen.Keys.Where(tid => tid.Block == number).ToList())
                // Tidied away since: it stays as it was when it was last seen, deleted or not.
                if (!PageSearch.Tuple(page, old.Item).IsEmpty)
                    seen.Remove(old);
            var count = PageHeader.Read(page) is { IsNew: false, IsPossible: true } header ? Math.Min(header.ItemCount, PageFormat.MaxHeapItems) : 0;
            for (var item = 1; item <= count; item++)
                if (PageSearch.Tuple(page, item) is { IsEmpty: false } tuple && tuple.ToArray() is var copy && key(copy) is { } found)
                    seen[new Tid(number, item)] = (found, copy);
            return;
        }
        if (record.ResourceManager != Heap)
            return;
        var size = (record.Info & Operation) switch { Delete => DeleteSize, Update or HotUpdate => UpdateSize, _ => 0 };
        // The main data comes last; the old version's block is the second where there are two.
        if (size == 0 || record.Bytes.Length < size || block.Id != record.Blocks[^1].Id)
            return;
        var main = record.Bytes.Span[^size..];
        var place = new Tid(block.Address.Block, BinaryPrimitives.ReadUInt16LittleEndian(main[4..]));
        if (!seen.TryGetValue(place, out var row))
            return;
        if (size == UpdateSize)
        {
            seen.Remove(place);
            return;
        }
        main[..4].CopyTo(row.Tuple.AsSpan(XmaxAt));
        // Neither invalid nor known to have committed, no lock, no multixact (htup_details.h).
        var mask = BinaryPrimitives.ReadUInt16LittleEndian(row.Tuple.AsSpan(20));
        BinaryPrimitives.WriteUInt16LittleEndian(row.Tuple.AsSpan(20), (ushort)(mask & ~(0x0400 | 0x0800 | 0x1000 | 0x0080 | 0x0050)));
    }
}
