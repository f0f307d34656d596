using Kintsugi.Pages.Crossing;
using Kintsugi.Pages.Heap;

namespace Kintsugi.Postgres.Files.Offline;

/// <summary>Columns of a table, and what each of its indexes keeps of them.</summary>
internal sealed record IndexShape(Relation Index, KeyPart[] Parts, int KeyColumns)
{
    public bool HasExpressions => Parts.Any(part => part.Column < 0);
}

/// <summary>What the catalogs of one database, read from their files, say about columns and btree keys.</summary>
internal sealed class RawSchema
{
    private const uint PgAttribute = 1249, PgIndex = 2610, PgOpclass = 2616;
    private const uint NameType = 19;

    private readonly Dictionary<uint, RawColumn[]> columns;
    private readonly Dictionary<uint, RawIndexKey> keys;
    private readonly Dictionary<uint, (uint Family, uint Type)> classes;
    private readonly bool sortsByBytes;

    private RawSchema(
        Dictionary<uint, RawColumn[]> columns, Dictionary<uint, RawIndexKey> keys, Dictionary<uint, (uint Family, uint Type)> classes, bool sortsByBytes)
    {
        this.columns = columns;
        this.keys = keys;
        this.classes = classes;
        this.sortsByBytes = sortsByBytes;
    }

    /// <summary>The catalogs that it is read from.</summary>
    public static IReadOnlyList<uint> Catalogs { get; } = [PgAttribute, PgIndex, PgOpclass];

    public static async ValueTask<RawSchema> Read(DataDirectory directory, Inventory inventory, CancellationToken cancellationToken)
    {
        var table = new RawTable(directory.Files, new TransactionLog(directory.Path, directory.Control));
        var layout = new RawColumns(directory.Major);
        var indexed = inventory.Relations.Where(relation => relation.AccessMethod == "btree").SelectMany(index => (uint[])[index.Oid, index.HeapOid])
            .ToHashSet();
        async ValueTask<IReadOnlyList<T>> Rows<T>(uint catalog, int width, RowReader<T> read) =>
            inventory.Find(catalog)?.Path is { } path ? await table.Read(path, width, read, cancellationToken) : [];
        var attributes = await Rows(PgAttribute, layout.Width, row => indexed.Contains(row.Oid(0)) ? layout.Read(row) : null);
        var keys = await Rows(PgIndex, RawIndexKey.Width, RawIndexKey.Read);
        var classes = await Rows(PgOpclass, 93, row => (Oid: row.Oid(0), Family: row.Oid(80), Type: row.Oid(84)));
        var database = (await new RawCatalog(directory).Databases(cancellationToken)).FirstOrDefault(it => it.Name == inventory.Database);
        return new RawSchema(
            attributes.OfType<RawColumn>().Where(column => column.Number > 0).GroupBy(column => column.Relation)
                .ToDictionary(group => group.Key, group => group.OrderBy(column => column.Number).ToArray()),
            keys.OfType<RawIndexKey>().DistinctBy(key => key.Index).ToDictionary(key => key.Index),
            classes.DistinctBy(it => it.Oid).ToDictionary(it => it.Oid, it => (it.Family, it.Type)), database?.SortsByBytes ?? false);
    }

    /// <returns>The table's columns, dropped ones as well; null where the catalog on disk does not have all of them.</returns>
    public HeapColumn[]? ColumnsOf(Relation table) => Whole(table) is { } found ? [.. found.Select(column => column.Stored)] : null;

    /// <returns>What the index keeps; null where the catalogs on disk do not tell.</returns>
    public IndexShape? ShapeOf(Relation index)
    {
        if (!keys.TryGetValue(index.Oid, out var key) || Whole(index) is not { } own || own.Length != key.Columns.Length
            || !columns.TryGetValue(index.HeapOid, out var table) || key.KeyColumns < 1 || key.KeyColumns > own.Length
            || key.Collations.Length < key.KeyColumns || key.Classes.Length < key.KeyColumns || key.Options.Length < key.KeyColumns)
            return null;
        var parts = new KeyPart[own.Length];
        for (var i = 0; i < own.Length; i++)
        {
            var number = key.Columns[i];
            if (number > table.Length || (number > 0 && table[number - 1].IsUndecided))
                return null;
            var option = i < key.KeyColumns ? key.Options[i] : (short)0;
            parts[i] = new KeyPart(own[i].Stored, number - 1, i < key.KeyColumns ? OrderOf(key, i, own[i].Stored) : KeyOrder.Unknown,
                (option & 1) != 0, (option & 2) != 0)
            {
                IsCutAtZero = number > 0 && own[i].Stored.Length == -2 && table[number - 1].Stored.TypeId == NameType,
                Missing = number > 0 ? table[number - 1].Missing : null,
            };
        }
        return new IndexShape(index, parts, key.KeyColumns);
    }

    private RawColumn[]? Whole(Relation relation) =>
        columns.TryGetValue(relation.Oid, out var found) && found[^1].Number == found.Length ? found : null;

    /// <summary>By operator family and input type (pg_opfamily.dat), and only where the stored width is the type's.</summary>
    private KeyOrder OrderOf(RawIndexKey key, int at, HeapColumn stored)
    {
        const uint c = 950, posix = 951, byDatabase = 100;
        if (!classes.TryGetValue(key.Classes[at], out var found))
            return KeyOrder.Unknown;
        var byBytes = key.Collations[at] is c or posix || (key.Collations[at] == byDatabase && sortsByBytes);
        return (found.Family, found.Type, (int)stored.Length) switch
        {
            (1976, 21, 2) => KeyOrder.Int16,
            (1976, 23, 4) or (434, 1082, 4) => KeyOrder.Int32,
            (1976, 20, 8) or (434, 1114 or 1184, 8) or (1996, _, 8) or (2099, _, 8) => KeyOrder.Int64,
            (1989, _, 4) => KeyOrder.UInt32,
            (3253 or 5067, _, 8) => KeyOrder.UInt64,
            (424 or 429, _, 1) => KeyOrder.Byte,
            (1970, 700, 4) => KeyOrder.Float32,
            (1970, 701, 8) => KeyOrder.Float64,
            (2968, _, 16) or (428, _, -1) or (2095, _, -1) or (1984, _, 6) or (3371, _, 8) => KeyOrder.Bytes,
            (1994, _, -1 or -2) when byBytes => KeyOrder.Bytes,
            (1988, _, -1) => KeyOrder.Numeric,
            _ => KeyOrder.Unknown,
        };
    }
}
