using System.Text.RegularExpressions;

namespace Kintsugi.Postgres.Sessions;

/// <summary>Reads every relation of a database in one round trip, so that cost grows with relations and not with round trips.</summary>
internal static partial class InventoryReader
{
    private const string Sql = """
        SELECT c.oid, n.nspname::pg_catalog.text, c.relname::pg_catalog.text, c.relkind::pg_catalog.text, c.relpersistence::pg_catalog.text, coalesce(a.amname::pg_catalog.text, ''),
               pg_catalog.pg_relation_filenode(c.oid), pg_catalog.pg_relation_filepath(c.oid), c.relpages, c.reltuples, c.reltoastrelid, c.relisshared,
               c.relispartition, c.relrowsecurity, coalesce(r.rolname::pg_catalog.text, ''),
               i.indrelid, i.indisvalid, i.indisready, i.indislive, i.indisunique, i.indisprimary, i.indisexclusion, i.indimmediate,
               coalesce((pg_catalog.to_jsonb(i) OPERATOR(pg_catalog.->>) 'indnullsnotdistinct')::pg_catalog.bool, false),
               i.indexprs IS NOT NULL, i.indpred IS NOT NULL, i.indnkeyatts,
               pg_catalog.concat_ws('/', i.indkey::pg_catalog.text, i.indclass::pg_catalog.text, i.indcollation::pg_catalog.text, i.indoption::pg_catalog.text,
                 i.indisunique, i.indisexclusion, c.relam, i.indexprs::pg_catalog.text, i.indpred::pg_catalog.text),
               t.oid,
               coalesce((SELECT pg_catalog.bool_or(o NOT IN (0, 950, 951)) FROM pg_catalog.unnest(i.indcollation) o), false),
               (SELECT d.refobjid FROM pg_catalog.pg_depend d WHERE c.relkind = 'S' AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                  AND d.objid = c.oid AND d.objsubid = 0 AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i') LIMIT 1)
        FROM pg_catalog.pg_class c
        LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam
        LEFT JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
        LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
        LEFT JOIN pg_catalog.pg_class t ON c.relkind = 't' AND t.reltoastrelid = c.oid
        WHERE c.relkind IN ('r', 'i', 't', 'm', 'S', 'p', 'I')
        """;

    /// <summary>
    /// Tables on which an index is being built now. A role that may not see other roles' activity sees no relid: then a held
    /// ShareUpdateExclusive lock of a backend that is no autovacuum worker is taken for one.
    /// </summary>
    private const string Builds = """
        SELECT p.relid FROM pg_catalog.pg_stat_progress_create_index p WHERE p.relid IS NOT NULL AND p.datname = pg_catalog.current_database()
        UNION
        SELECT l.relation FROM pg_catalog.pg_locks l
        JOIN pg_catalog.pg_stat_activity s ON s.pid = l.pid
        WHERE l.mode = 'ShareUpdateExclusiveLock' AND l.relation IS NOT NULL AND l.pid <> pg_catalog.pg_backend_pid()
          AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
          AND (s.backend_type IS NULL OR s.query IS NULL OR s.query = '<insufficient privilege>')
        """;

    private sealed record Row(Relation Relation, uint? IndexedOid, string Signature, uint? ToastOwner, uint? SequenceOwner);

    /// <param name="before">Where bad rows were seen by the inventory that this one replaces.</param>
    public static async ValueTask<Inventory> Read(
        IReadSession session, IReadOnlyDictionary<(uint Table, string Condition), IReadOnlyList<string>> before, CancellationToken cancellationToken)
    {
        // A TOAST table that two tables claim, or an index with two rows, is there once; the check catalog says what is wrong.
        var words = new Words();
        var rows = (await session.Rows(Sql, row => ReadRow(row, words), cancellationToken)).DistinctBy(row => row.Relation.Oid).ToList();
        for (var i = 0; i < rows.Count; i++)
            if (rows[i].Relation.Pages is < 0 or > BelievedPages)
                rows[i] = rows[i] with { Relation = await Measured(rows[i].Relation, session, cancellationToken) };
        var building = (await session.Rows(Builds, row => row.GetFieldValue<uint>(0), cancellationToken)).ToHashSet();
        var byOid = rows.ToDictionary(row => row.Relation.Oid);
        var valid = rows.Where(row => row.Relation.Index is { Valid: true, Ready: true }).ToLookup(row => (row.IndexedOid, row.Signature));
        return new Inventory(session.Database, [.. rows.Select(row => Link(row, byOid, building, valid))]) { RowsBefore = before };
    }

    /// <summary>
    /// pg_class.relpages is a figure for the planner, and one that is nonsense would cut a small table into tens of thousands of stretches. Beyond this, 32 GiB,
    /// the file is asked; below, the question would cost more than it saves.
    /// </summary>
    private const long BelievedPages = 4_000_000;

    private static async ValueTask<Relation> Measured(Relation relation, IReadSession session, CancellationToken cancellationToken)
    {
        try
        {
            var pages = await session.Rows(
                "SELECT coalesce(pg_catalog.pg_relation_size($1::pg_catalog.oid, 'main'), 0) / pg_catalog.current_setting('block_size')::pg_catalog.int8",
                row => row.GetInt64(0), cancellationToken, relation.Oid);
            return relation with { Pages = pages[0] };
        }
        catch (PatientException problem) when (!problem.ConnectionLost)
        {
            // Locked, or unreadable: then it goes by the catalog's figure.
            return relation with { Pages = Math.Max(0, relation.Pages) };
        }
    }

    private static Relation Link(
        Row row, Dictionary<uint, Row> byOid, HashSet<uint> building, ILookup<(uint?, string), Row> valid)
    {
        var relation = row.Relation;
        var heap = relation.Index is null ? relation.Oid : row.IndexedOid ?? 0;
        var table = byOid.TryGetValue(heap, out var under) && (under.ToastOwner ?? under.SequenceOwner) is { } owner ? owner : heap;
        var known = byOid.TryGetValue(table, out var person) ? person.Relation : relation;
        return relation with
        {
            TableOid = known.Oid,
            TableSchema = known.Schema,
            TableName = known.Name,
            IsCatalog = known.Schema is "pg_catalog" or "information_schema",
            HeapOid = relation.Index is null ? 0 : heap,
            Index = relation.Index is { } index
                ? index with
                {
                    Building = building.Contains(heap),
                    Signature = row.Signature,
                    HasValidTwin = valid[(row.IndexedOid, row.Signature)].Any(twin => twin.Relation.Oid != relation.Oid),
                }
                : null,
        };
    }

    private static Row ReadRow(System.Data.Common.DbDataReader row, Words words)
    {
        uint? indexed = row.IsDBNull(15) ? null : row.GetFieldValue<uint>(15);
        var relation = new Relation
        {
            Oid = row.GetFieldValue<uint>(0),
            // A relation whose namespace is gone is still a relation: the catalog checks will say so.
            Schema = row.IsDBNull(1) ? "?" : words.Of(row.GetString(1)),
            Name = row.GetString(2),
            Kind = row.GetString(3)[0],
            Persistence = row.GetString(4)[0],
            AccessMethod = words.Of(row.GetString(5)),
            Filenode = row.IsDBNull(6) ? 0 : row.GetFieldValue<uint>(6),
            Path = row.IsDBNull(7) ? null : row.GetString(7),
            Pages = row.GetInt32(8),
            Rows = row.GetFloat(9),
            ToastOid = row.GetFieldValue<uint>(10),
            IsShared = row.GetBoolean(11),
            IsPartition = row.GetBoolean(12),
            HasRowSecurity = row.GetBoolean(13),
            Owner = words.Of(row.GetString(14)),
            Index = indexed is null ? null : ReadIndex(row),
        };
        return new Row(relation, indexed, words.Of(Place().Replace(row.GetString(27), "")), Oid(row, 28), Oid(row, 30));
    }

    private static IndexFacts ReadIndex(System.Data.Common.DbDataReader row) => new()
    {
        Valid = row.GetBoolean(16),
        Ready = row.GetBoolean(17),
        Live = row.GetBoolean(18),
        Unique = row.GetBoolean(19),
        Primary = row.GetBoolean(20),
        Exclusion = row.GetBoolean(21),
        Immediate = row.GetBoolean(22),
        NullsNotDistinct = row.GetBoolean(23),
        HasExpressions = row.GetBoolean(24),
        HasPredicate = row.GetBoolean(25),
        KeyColumns = row.GetInt16(26),
        HasCollation = row.GetBoolean(29),
    };

    /// <summary>Words that hundreds of thousands of relations share, each held once.</summary>
    private sealed class Words
    {
        private readonly HashSet<string> known = [];

        public string Of(string word)
        {
            if (known.TryGetValue(word, out var same))
                return same;
            known.Add(word);
            return word;
        }
    }

    private static uint? Oid(System.Data.Common.DbDataReader row, int at) => row.IsDBNull(at) ? null : row.GetFieldValue<uint>(at);

    /// <summary>Where in the statement's text an expression stood: differs between twins that are otherwise the same.</summary>
    [GeneratedRegex(@" :location -?\d+")]
    private static partial Regex Place();
}
