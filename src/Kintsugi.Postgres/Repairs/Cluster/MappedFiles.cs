using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Pages.Indexes;
using Kintsugi.Postgres.Files.Offline;

namespace Kintsugi.Postgres.Repairs.Cluster;

/// <summary>
/// Which file is whose among those of a database's mapped catalogs, by what is in them. A catalog's table is the one that holds its own well-known row; its
/// index is the btree whose every entry leads to a row of it with just that key, and which misses none of its rows.
/// </summary>
internal sealed class MappedFiles(DataDirectory directory, string home)
{
    private const uint PgClass = 1259, PgAttribute = 1249, PgProc = 1255, PgType = 1247;

    /// <summary>The TOAST tables of pg_proc and pg_type, and their indexes.</summary>
    private static readonly uint[] Toasts = [2836, 4171], ToastIndexes = [2837, 4172];

    /// <summary>A row that initdb writes and nothing removes, by its first bytes: an OID and a name, in pg_attribute the relation's OID and the column's name.</summary>
    private static readonly Dictionary<uint, (uint Oid, string Name)> Signs = new()
    {
        [PgClass] = (PgClass, "pg_class"),
        [PgAttribute] = (PgAttribute, "attrelid"),
        [PgProc] = (1242, "boolin"),
        [PgType] = (16, "bool"),
    };

    /// <summary>What the key of an index over that table begins with, of a row's own bytes (indexing.h and the catalogs' headers; a name is kept as a string that a zero ends).</summary>
    private static readonly Dictionary<uint, (uint Table, KeyOf Key)> Indexes = new()
    {
        [2662] = (PgClass, (row, _) => [.. row[..4]]),
        [2663] = (PgClass, (row, _) => Name(row)),
        [3455] = (PgClass, (row, _) => [.. row[92..96], .. row[88..92]]),
        [2658] = (PgAttribute, (row, _) => [.. row[..4], .. Name(row)]),
        [2659] = (PgAttribute, (row, number) => [.. row[..4], .. row.Slice(number, 2)]),
        [2690] = (PgProc, (row, _) => [.. row[..4]]),
        [2691] = (PgProc, (row, _) => Name(row)),
        [2703] = (PgType, (row, _) => [.. row[..4]]),
        [2704] = (PgType, (row, _) => Name(row)),
        [2837] = (2836, (row, _) => [.. row[..8]]),
        [4172] = (4171, (row, _) => [.. row[..8]]),
    };

    /// <summary>Which catalog's long values a TOAST table holds.</summary>
    private static readonly Dictionary<uint, uint> Owners = new() { [2836] = PgProc, [4171] = PgType };

    /// <summary>Bytes that every row of the four catalogs has.</summary>
    private const int Fixed = 96;

    private delegate byte[] KeyOf(ReadOnlySpan<byte> row, int numberAt);

    private readonly TransactionLog transactions = new(directory.Path, directory.Control);

    /// <summary>Where attnum stands in pg_attribute: 16 moved attstattarget behind it (pg_attribute.h).</summary>
    private readonly int numberAt = directory.Major >= 16 ? 74 : 78;

    /// <param name="open">Catalogs whose file is not known.</param>
    /// <param name="files">Files that nobody else has.</param>
    /// <param name="sure">Catalogs whose file is known.</param>
    /// <param name="cancellationToken">Between files.</param>
    /// <returns>A file for each of the open ones, or null where one of them cannot be told.</returns>
    public async ValueTask<Dictionary<uint, uint>?> Tell(
        IReadOnlySet<uint> open, IReadOnlySet<uint> files, IReadOnlyDictionary<uint, uint> sure, CancellationToken cancellationToken)
    {
        var bytes = new Dictionary<uint, byte[]>();
        foreach (var file in files.Concat(sure.Where(pair => Signs.ContainsKey(pair.Key) || Owners.ContainsKey(pair.Key)).Select(pair => pair.Value)).Distinct())
            bytes[file] = await File.ReadAllBytesAsync(Path.Combine(directory.Path, home, file.ToString(CultureInfo.InvariantCulture)), cancellationToken);
        var told = new Dictionary<uint, uint>();
        foreach (var (table, sign) in Signs.Where(pair => open.Contains(pair.Key)))
            if (Only(files, file => Holds(bytes[file], sign)) is { } file)
                told[table] = file;
        foreach (var (toast, owner) in Owners.Where(pair => open.Contains(pair.Key)))
            if ((told.TryGetValue(owner, out var table) || sure.TryGetValue(owner, out table)) && Pointers(bytes[table], toast) is { Count: > 0 } values
                && Only(files, file => !IsBtree(bytes[file]) && values.IsSubsetOf(Chunks(bytes[file]))) is { } file)
                told[toast] = file;
        foreach (var (index, (table, key)) in Indexes.Where(pair => open.Contains(pair.Key)))
            if ((told.TryGetValue(table, out var heap) || sure.TryGetValue(table, out heap)) && Only(files, file => Serves(bytes[file], bytes[heap], key)) is { } file)
                told[index] = file;
        Rest(open, files, bytes, told);
        return told.Count == open.Count && told.Values.Distinct().Count() == told.Count ? told : null;
    }

    private static uint? Only(IReadOnlySet<uint> files, Func<uint, bool> fits) => files.Where(fits).Take(2).ToList() is [var one] ? one : null;

    /// <summary>
    /// TOAST tables that no row refers to have no row that must be there, nor have their indexes: they are what is left, as many btrees and tables as there are to be. Two of a kind are only told apart
    /// by nobody having to: when they are empty.
    /// </summary>
    private static void Rest(IReadOnlySet<uint> open, IReadOnlySet<uint> files, Dictionary<uint, byte[]> bytes, Dictionary<uint, uint> told)
    {
        var left = files.Except(told.Values).Order().ToLookup(file => IsBtree(bytes[file]));
        foreach (var (catalogs, isIndex, empty) in new[] { (Toasts, false, 0), (ToastIndexes, true, PageFormat.Size) })
        {
            var (wanted, found) = (catalogs.Where(catalog => open.Contains(catalog) && !told.ContainsKey(catalog)).ToList(), left[isIndex].ToList());
            if (wanted.Count == found.Count && (wanted.Count == 1 || found.TrueForAll(file => bytes[file].Length == empty)))
                foreach (var (catalog, file) in wanted.Zip(found))
                    told[catalog] = file;
        }
    }

    private static bool IsBtree(byte[] file) =>
        file.Length >= PageFormat.Size && PageHeader.Read(file) is { IsPossible: true, IsNew: false, Special: PageFormat.Size - 16 }
        && BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(PageFormat.HeaderSize)) == 0x053162;

    private bool Holds(byte[] file, (uint Oid, string Name) sign)
    {
        var found = false;
        Rows(file, Fixed, (row, _, _) => found |= BinaryPrimitives.ReadUInt32LittleEndian(row) == sign.Oid && Name(row).AsSpan()[..^1].SequenceEqual(Encoding.UTF8.GetBytes(sign.Name)));
        return found && !IsBtree(file);
    }

    private bool Serves(byte[] index, byte[] heap, KeyOf key)
    {
        if (!IsBtree(index))
            return false;
        var keys = new Dictionary<Tid, byte[]>();
        var wanted = new HashSet<Tid>();
        Rows(heap, 8, (row, tid, heapOnly) =>
        {
            keys[tid] = key(row, numberAt);
            if (!heapOnly)
                wanted.Add(tid);
        });
        var content = new IndexPageContent();
        for (var block = 1; block < index.Length / PageFormat.Size; block++)
        {
            var page = index.AsSpan(block * PageFormat.Size, PageFormat.Size);
            IndexTids.Read(IndexKind.Btree, page, (uint)block, content);
            if (!content.IsTrustworthy)
                return false;
            foreach (var entry in content.Rows)
            {
                var line = LinePointer.Read(page, entry.Item);
                if (keys.TryGetValue(entry.Tid, out var expected) && !page.Slice(line.Offset, line.Length)[8..].StartsWith(expected))
                    return false;
                wanted.Remove(entry.Tid);
            }
        }
        return keys.Count > 0 && wanted.Count == 0;
    }

    /// <summary>The values that rows keep in that TOAST table: a pointer is two bytes of header, raw size, stored size, value and table (varatt.h).</summary>
    private HashSet<uint> Pointers(byte[] file, uint toast)
    {
        var values = new HashSet<uint>();
        Rows(file, Fixed, (row, _, _) =>
        {
            for (var at = Fixed; at + 18 <= row.Length; at++)
                if (row[at] == 1 && row[at + 1] == 18 && BinaryPrimitives.ReadUInt32LittleEndian(row[(at + 14)..]) == toast)
                    values.Add(BinaryPrimitives.ReadUInt32LittleEndian(row[(at + 10)..]));
        });
        return values;
    }

    private HashSet<uint> Chunks(byte[] file)
    {
        var values = new HashSet<uint>();
        Rows(file, 8, (row, _, _) => values.Add(BinaryPrimitives.ReadUInt32LittleEndian(row)));
        return values;
    }

    private delegate void Visit(ReadOnlySpan<byte> row, Tid tid, bool heapOnly);

    /// <summary>Live rows, by their data alone.</summary>
    private void Rows(byte[] file, int least, Visit visit)
    {
        for (var block = 0; block < file.Length / PageFormat.Size; block++)
        {
            var page = file.AsSpan(block * PageFormat.Size, PageFormat.Size);
            var count = PageHeader.Read(page) is { IsNew: false, IsPossible: true, Special: PageFormat.Size } header ? header.ItemCount : 0;
            for (var item = 1; item <= count; item++)
            {
                var line = LinePointer.Read(page, item);
                if (line.State != LinePointerState.Normal || !line.IsReadable(page) || line.Length < HeapTupleHeader.MinimumSize)
                    continue;
                var tuple = page.Slice(line.Offset, line.Length);
                var (head, tid) = (HeapTupleHeader.Read(tuple), new Tid((uint)block, item));
                if (head.DataStart + least <= tuple.Length && transactions.IsLive(head, tid))
                    visit(tuple[head.DataStart..], tid, head.IsHeapOnly);
            }
        }
    }

    /// <summary>The name that every one of the four catalogs has behind its first OID, with the zero that ends it.</summary>
    private static byte[] Name(ReadOnlySpan<byte> row)
    {
        var name = row.Slice(4, 64);
        return [.. name[..name.IndexOf((byte)0)], 0];
    }
}
