using Kintsugi.Pages;
using Kintsugi.Pages.Files;

namespace Kintsugi.Postgres.Files.Offline;

/// <summary>A database as its row in pg_database tells it.</summary>
internal sealed record RawDatabase(uint Oid, string Name, uint Tablespace, bool AllowsConnections)
{
    /// <summary>Its own collation is the order of bytes: C, POSIX, or any of the builtin provider (17).</summary>
    public bool SortsByBytes { get; init; }
}

/// <summary>
/// Databases and relations of a data directory without a server: pg_filenode.map leads to pg_class and pg_database, whose rows
/// are read from their pages (column offsets from pg_class.h, pg_database.h, pg_index.h, pg_namespace.h, pg_am.h of 13 to 18).
/// </summary>
internal sealed class RawCatalog(DataDirectory directory)
{
    private const uint PgClass = 1259, PgDatabase = 1262, PgNamespace = 2615, PgIndex = 2610, PgAm = 2601, PgAuthid = 1260, PgAttribute = 1249, PgTablespace = 1213;
    private const uint DefaultTablespace = 1663, GlobalTablespace = 1664, HeapAm = 2, BootstrapRole = 10;

    private readonly RawTable table = new(directory.Files, new TransactionLog(directory.Path, directory.Control));

    private sealed record Row(
        uint Oid, string Name, uint Namespace, uint Am, uint Filenode, uint Tablespace, int Pages, float Rows, uint Toast,
        bool Shared, char Persistence, char Kind, short Columns);

    private sealed record IndexRow(uint Oid, uint Heap, IndexFacts Facts);

    /// <summary>Empty when pg_database cannot be read.</summary>
    public async ValueTask<IReadOnlyList<RawDatabase>> Databases(CancellationToken cancellationToken)
    {
        var map = await Map("global", cancellationToken);
        if (!map.TryGetValue(PgDatabase, out var file))
            return [];
        var (allows, tablespace) = directory.Major >= 15 ? (78, 92)
            : (205, directory.Major == 13 || directory.Major == 14 ? 224 : 92);
        return [.. (await table.Read($"global/{file}", tablespace + 4, row => new RawDatabase(
            row.Oid(0), row.Name(4), row.Oid(tablespace), row.Bool(allows))
            {
                SortsByBytes = SortsByBytes(row),
            }, cancellationToken)).DistinctBy(database => database.Oid)];
    }

    /// <summary>datcollate is a name up to 14, then a text behind the fixed columns, and datlocprovider stands beside it.</summary>
    private bool SortsByBytes(RawRow row)
    {
        if (directory.Major < 15)
            return row.Name(76) is "C" or "POSIX";
        var text = row.Rest(96);
        return row.Char(76) == 'b' || (row.Char(76) == 'c' && text.Length > 0 && (text[0] & 1) != 0
            && System.Text.Encoding.ASCII.GetString(text[1..Math.Clamp(text[0] >> 1, 1, text.Length)]) is "C" or "POSIX");
    }

    /// <summary>Tablespaces that have a link; empty when pg_tablespace cannot be read.</summary>
    public async ValueTask<IReadOnlyList<(uint Oid, string Name)>> Tablespaces(CancellationToken cancellationToken)
    {
        var map = await Map("global", cancellationToken);
        return map.TryGetValue(PgTablespace, out var file)
            ? [.. (await table.Read($"global/{file}", 68, row => (Oid: row.Oid(0), Name: row.Name(4)), cancellationToken))
                .Where(space => space.Oid is not (DefaultTablespace or GlobalTablespace)).Distinct()] : [];
    }

    /// <summary>The role that initdb made, and that nobody can drop (BOOTSTRAP_SUPERUSERID); null when pg_authid cannot be read.</summary>
    public async ValueTask<string?> BootstrapSuperuser(CancellationToken cancellationToken)
    {
        var map = await Map("global", cancellationToken);
        if (!map.TryGetValue(PgAuthid, out var file))
            return null;
        var roles = await table.Read($"global/{file}", 68, row => (Oid: row.Oid(0), Name: row.Name(4)), cancellationToken);
        return roles.FirstOrDefault(role => role.Oid == BootstrapRole).Name;
    }

    /// <summary>The relations by their catalog; empty when pg_class cannot be read.</summary>
    public async ValueTask<IReadOnlyList<Relation>> Relations(RawDatabase database, CancellationToken cancellationToken)
    {
        var home = Home(database.Tablespace, database);
        var local = await Map(home, cancellationToken);
        if (!local.TryGetValue(PgClass, out var pgClass))
            return [];
        var global = await Map("global", cancellationToken);
        var rows = (await table.Read($"{home}/{pgClass}", 124, ReadClass, cancellationToken)).DistinctBy(row =>
            row.Oid).ToDictionary(r => r.Oid);
        string? PathOf(Row row) => row.Kind is 'r' or 'i' or 't' or 'm' or 'S' && FileOf(row, local, global) is { } file
            ? $"{Home(row.Tablespace == 0 ? database.Tablespace : row.Tablespace, database)}/{file}"
            : null;
        var names = await Names(PgNamespace, rows, PathOf, cancellationToken);
        var methods = await Names(PgAm, rows, PathOf, cancellationToken);
        var indexes = rows.TryGetValue(PgIndex, out var pgIndex) && PathOf(pgIndex) is { } path
            ? (await table.Read(path, 24, ReadIndex, cancellationToken)).DistinctBy(index => index.Oid).ToDictionary(index =>
            index.Oid)
            : [];
        var owners = rows.Values.Where(row => row.Toast != 0).DistinctBy(row => row.Toast).ToDictionary(row => row.Toast);
        var layout = new RawColumns(directory.Major);
        var columns = rows.TryGetValue(PgAttribute, out var pgAttribute) && PathOf(pgAttribute) is { } file
            ? (await table.Read(file, layout.Width, layout.Read, cancellationToken)).OfType<RawColumn>().ToLookup(column => column.Relation) : null;
        return [.. rows.Values.Select(row => Build(row, rows, names, methods, indexes, owners, PathOf(row)) with { Columns = Whole(columns?[row.Oid], row) })];
    }

    private static Relation Build(
        Row row, Dictionary<uint, Row> rows, Dictionary<uint, string> names, Dictionary<uint, string> methods,
        Dictionary<uint, IndexRow> indexes, Dictionary<uint, Row> owners, string? path)
    {
        var index = indexes.GetValueOrDefault(row.Oid);
        var heap = index?.Heap ?? row.Oid;
        var known = owners.GetValueOrDefault(heap) ?? rows.GetValueOrDefault(heap) ?? row;
        string Schema(Row of) => names.GetValueOrDefault(of.Namespace, "?");
        return new Relation
        {
            Oid = row.Oid,
            Schema = Schema(row),
            Name = row.Name,
            Kind = row.Kind,
            Persistence = row.Persistence,
            AccessMethod = methods.GetValueOrDefault(row.Am, row.Am == HeapAm ? "heap" : ""),
            Filenode = row.Filenode,
            Path = path,
            Pages = row.Pages,
            Rows = row.Rows,
            ToastOid = row.Toast,
            IsShared = row.Shared,
            TableOid = known.Oid,
            TableSchema = Schema(known),
            TableName = known.Name,
            IsCatalog = Schema(known) is "pg_catalog" or "information_schema",
            HeapOid = index is null ? 0 : heap,
            Index = index?.Facts,
        };
    }

    private Row ReadClass(RawRow row)
    {
        // 18 put relallfrozen in front of reltoastrelid.
        var toast = directory.Major >= 18 ? 112 : 108;
        return new Row(row.Oid(0), row.Name(4), row.Oid(68), row.Oid(84), row.Oid(88), row.Oid(92), row.Int(96), row.Real(100),
            row.Oid(toast), row.Bool(toast + 5), row.Char(toast + 6), row.Char(toast + 7),
            row.Short(toast + 8));
    }

    /// <summary>All of them, each once: columns that the catalog has lost would make every tuple look wrong.</summary>
    private static IReadOnlyList<(short, int, uint)>? Whole(IEnumerable<RawColumn>? columns, Row row)
    {
        var own = columns?.Where(column => column.Number > 0).OrderBy(column => column.Number).ToList();
        return own is not null && own.Count == row.Columns && own.Select((column, at) => column.Number == at + 1).All(inPlace => inPlace)
            ? [.. own.Select(column => (column.Stored.Length, (int)column.Stored.Alignment, column.Stored.TypeId))] : null;
    }

    private IndexRow ReadIndex(RawRow row)
    {
        // 15 put indnullsnotdistinct in front of indisprimary.
        var after = directory.Major >= 15 ? 14 : 13;
        var expressions = directory.Major >= 15 ? 19 : 18;
        return new IndexRow(row.Oid(0), row.Oid(4), new IndexFacts
        {
            KeyColumns = row.Short(10),
            HasExpressions = !row.IsNull(expressions),
            HasPredicate = !row.IsNull(expressions + 1),
            Unique = row.Bool(12),
            NullsNotDistinct = directory.Major >= 15 && row.Bool(13),
            Primary = row.Bool(after),
            Exclusion = row.Bool(after + 1),
            Immediate = row.Bool(after + 2),
            Valid = row.Bool(after + 4),
            Ready = row.Bool(after + 6),
            Live = row.Bool(after + 7),
        });
    }

    private async ValueTask<Dictionary<uint, string>> Names(
        uint catalog, Dictionary<uint, Row> rows, Func<Row, string?> pathOf, CancellationToken cancellationToken)
    {
        if (!rows.TryGetValue(catalog, out var row) || pathOf(row) is not { } path)
            return [];
        var pairs = await table.Read(path, 68, found => (Oid: found.Oid(0), Name: found.Name(4)), cancellationToken);
        return pairs.DistinctBy(pair => pair.Oid).ToDictionary(pair => pair.Oid, pair => pair.Name);
    }

    private static uint? FileOf(Row row, IReadOnlyDictionary<uint, uint> local, IReadOnlyDictionary<uint, uint> global) =>
        row.Filenode != 0 ? row.Filenode : (row.Shared ? global : local).TryGetValue(row.Oid, out var file) ? file : null;

    /// <summary>The directory of that tablespace's files of the database.</summary>
    public string Home(uint tablespace, RawDatabase database) => tablespace switch
    {
        DefaultTablespace => $"base/{database.Oid}",
        GlobalTablespace => "global",
        _ => $"pg_tblspc/{tablespace}/PG_{directory.Major}_{directory.Control?.CatalogVersion ?? 0}/{database.Oid}",
    };

    private async ValueTask<IReadOnlyDictionary<uint, uint>> Map(string home, CancellationToken cancellationToken)
    {
        var buffer = new byte[1024];
        var read = await directory.Files.Read($"{home}/pg_filenode.map", 0, buffer, cancellationToken);
        return RelationMap.Read(buffer.AsSpan(0, read), new List<Flaw>())?.Files ?? new Dictionary<uint, uint>();
    }
}
