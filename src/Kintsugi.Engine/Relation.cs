using System.Collections.Concurrent;

namespace Kintsugi;

/// <summary>A relation as pg_class, pg_index and pg_inherits tell it: what checks need to know before they look.</summary>
/// <remarks>OIDs live as long as one scrub; nothing that is kept may rest on them.</remarks>
public sealed record Relation
{
    public required uint Oid { get; init; }
    public required string Schema { get; init; }
    public required string Name { get; init; }

    /// <summary>pg_class.relkind: r table, p partitioned table, i index, I partitioned index, t TOAST, m materialized view, S sequence.</summary>
    public required char Kind { get; init; }

    /// <summary>pg_class.relpersistence: p permanent, u unlogged, t temporary.</summary>
    public char Persistence { get; init; } = 'p';

    /// <summary>pg_am.amname; empty where the relation has none.</summary>
    public string AccessMethod { get; init; } = "";
    public uint Filenode { get; init; }

    /// <summary>pg_relation_filepath: below the data directory; null where the relation has no storage or it cannot be told.</summary>
    public string? Path { get; init; }

    /// <summary>pg_class.relpages: the planner's guess, used to order work only.</summary>
    public long Pages { get; init; }
    public double Rows { get; init; }
    public uint ToastOid { get; init; }
    public bool IsShared { get; init; }
    public bool IsPartition { get; init; }

    /// <summary>pg_class.relrowsecurity.</summary>
    public bool HasRowSecurity { get; init; }

    /// <summary>The role that owns it.</summary>
    public string Owner { get; init; } = "";

    /// <summary>The table that a person knows: itself, the indexed table, or the table whose values a TOAST table holds.</summary>
    public uint TableOid { get; init; }
    public string TableSchema { get; init; } = "";
    public string TableName { get; init; } = "";

    /// <summary>The heap that an index directly serves (a TOAST table for a TOAST index); 0 for anything else.</summary>
    public uint HeapOid { get; init; }
    public IndexFacts? Index { get; init; }

    /// <summary>pg_catalog, information_schema and the TOAST tables of their relations.</summary>
    public bool IsCatalog { get; init; }

    /// <summary>pg_attribute's attlen, attalign (in bytes) and atttypid (0 of a dropped one) for each column, where a catalog without a server told them all; else null.</summary>
    public IReadOnlyList<(short Length, int Alignment, uint Type)>? Columns { get; init; }
    public bool IsToast => Kind == 't';
    public bool HasStorage => Kind is 'r' or 'i' or 't' or 'm' or 'S';
    public bool HasHeap => Kind is 'r' or 't' or 'm';

    public Target ToTarget(string server, string database) => new()
    {
        Server = server,
        Database = database,
        Schema = TableSchema,
        Relation = TableName,
        Object = Name,
        ObjectSchema = Schema,
        Kind = Kind switch
        {
            'i' or 'I' => TargetKind.Index,
            't' => TargetKind.Toast,
            'S' => TargetKind.Sequence,
            'm' => TargetKind.MaterializedView,
            _ when IsCatalog => TargetKind.Catalog,
            _ when IsPartition => TargetKind.Partition,
            _ => TargetKind.Table,
        },
    };
}

/// <summary>pg_index, where the relation is an index.</summary>
public sealed record IndexFacts
{
    public bool Valid { get; init; } = true;
    public bool Ready { get; init; } = true;
    public bool Live { get; init; } = true;
    public bool Unique { get; init; }
    public bool Primary { get; init; }
    public bool Exclusion { get; init; }
    public bool Immediate { get; init; } = true;
    public bool NullsNotDistinct { get; init; }
    public bool HasExpressions { get; init; }
    public bool HasPredicate { get; init; }
    public int KeyColumns { get; init; }

    /// <summary>A backend is building it at this moment (pg_stat_progress_create_index), so invalid is right.</summary>
    public bool Building { get; init; }

    /// <summary>Whether a valid index with the same definition stands beside it.</summary>
    public bool HasValidTwin { get; init; }

    /// <summary>A key is ordered by a collation other than C and POSIX: its order is the library's to change.</summary>
    public bool HasCollation { get; init; }

    /// <summary>Columns, operator classes, collations, options, expressions and predicate, as pg_index writes them.</summary>
    public string Signature { get; init; } = "";

    /// <summary>pg_get_indexdef.</summary>
    public string Definition { get; init; } = "";
}

/// <summary>Every relation of one database at one moment.</summary>
public sealed class Inventory(string database, IReadOnlyList<Relation> relations)
{
    private readonly Dictionary<uint, Relation> byOid = relations.ToDictionary(relation => relation.Oid);
    private readonly ILookup<uint, Relation> indexesOf = relations.Where(r => r.Index is not null).ToLookup(r => r.HeapOid);

    private readonly ILookup<uint, Relation> families = relations.ToLookup(relation => relation.TableOid);
    private readonly ConcurrentDictionary<uint, Target> targets = new();

    public string Database { get; } = database;
    public IReadOnlyList<Relation> Relations { get; } = relations;

    /// <summary>
    /// Where a check that went by this inventory saw every row that breaks a rule, by table and condition. The plan that is made next looks at those
    /// again, and need not read the whole table to find them.
    /// </summary>
    public ConcurrentDictionary<(uint Table, string Condition), IReadOnlyList<string>> RowsSeen { get; } = new();

    /// <summary>Where such rows were seen by the inventory before this one: where to begin when they are looked at again.</summary>
    public IReadOnlyDictionary<(uint Table, string Condition), IReadOnlyList<string>> RowsBefore { get; init; } =
        new Dictionary<(uint Table, string Condition), IReadOnlyList<string>>();

    public Relation? Find(uint oid) => byOid.GetValueOrDefault(oid);

    /// <summary>One object for all who speak of that relation: ten checks look at each of ten thousand.</summary>
    public Target TargetOf(Relation relation, string server) => targets.GetOrAdd(relation.Oid, _ => relation.ToTarget(server, Database));

    /// <summary>The table with its indexes, its TOAST table and the index of that.</summary>
    public IEnumerable<Relation> FamilyOf(uint tableOid) => families[tableOid];

    public Relation? Find(string? schema, string? name) =>
        Relations.FirstOrDefault(relation => relation.Schema == schema && relation.Name == name);

    /// <summary>The indexes that directly serve that heap.</summary>
    public IEnumerable<Relation> IndexesOf(uint heapOid) => indexesOf[heapOid];
}
