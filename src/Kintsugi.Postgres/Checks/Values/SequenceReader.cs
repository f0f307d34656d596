namespace Kintsugi.Postgres.Checks.Values;

/// <summary>A sequence as pg_sequence tells it (manual, 52.48), and the columns that are filled from it.</summary>
internal sealed record SequenceFacts(Relation Relation, long Start, long Increment, long Max, long Min, bool Cycle)
{
    public required IReadOnlyList<SequenceUse> Uses { get; init; }

    /// <summary>No column may hold more, in the sequence's direction.</summary>
    public long Limit => Increment > 0
        ? Uses.Select(use => use.TypeLimit).Append(Max).Min()
        : Uses.Select(use => -use.TypeLimit - 1).Append(Min).Max();
}

/// <param name="Unique">Two equal values in it cannot be: a unique index stands on this column alone, or it is an identity of a
/// partitioned table.</param>
/// <param name="TypeLimit">The greatest value of the column's type.</param>
internal sealed record SequenceUse(Relation Table, string Column, long TypeLimit, bool Unique, bool Subscribed, uint RootOid);

/// <summary>
/// Finds the columns that a sequence serves: identity, serial and any default that is nextval of it and nothing else.
/// </summary>
internal static class SequenceReader
{
    private const string Sequences = """
        SELECT seqrelid, seqstart, seqincrement, seqmax, seqmin, seqcycle FROM pg_catalog.pg_sequence
        """;

    /// <summary>
    /// Only what calls nextval (1574, pg_proc.dat) is written out as SQL: up to 17 that takes milliseconds for each default of a table with very many columns.
    /// </summary>
    private const string Uses = """
        WITH defaults AS (
          SELECT d.objid AS seq, d.refobjid AS relid, d.refobjsubid AS attnum
          FROM pg_catalog.pg_depend d
          WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
            AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype = 'i'
            AND d.refobjsubid > 0
          UNION
          SELECT d.refobjid, f.adrelid, f.adnum
          FROM pg_catalog.pg_attrdef f JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
            AND d.objid = f.oid
          WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjsubid = 0
            AND pg_catalog.pg_get_expr(CASE WHEN f.adbin::pg_catalog.text OPERATOR(pg_catalog.~~) '%:funcid 1574 %' THEN f.adbin END,
              f.adrelid) OPERATOR(pg_catalog.~) '^\(?nextval\(''.*''::regclass\)\)?(::[a-z0-9 ]+)?$'
          UNION
          SELECT n.seq, n.adrelid, n.adnum FROM (
            SELECT f.adrelid, f.adnum, pg_catalog.to_regclass(pg_catalog.replace(
                     pg_catalog.substring(pg_catalog.pg_get_expr(CASE WHEN f.adbin::pg_catalog.text OPERATOR(pg_catalog.~~) '%:funcid 1574 %' THEN f.adbin END, f.adrelid),
                       '^nextval\(\(''(.*)''::text\)::regclass\)$'), '''''', ''''))::pg_catalog.oid AS seq
            FROM pg_catalog.pg_attrdef f) n
          WHERE n.seq IS NOT NULL)
        SELECT u.seq, u.relid, a.attname::pg_catalog.text,
               CASE t.typname WHEN 'int2' THEN 32767 WHEN 'int4' THEN 2147483647 ELSE 9223372036854775807 END,
               EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = u.relid AND i.indisunique AND i.indpred IS NULL
                 AND i.indkey[0] = u.attnum
                       AND (i.indnkeyatts = 1 OR c.relkind = 'p' AND i.indisprimary)),
               EXISTS (SELECT FROM pg_catalog.pg_subscription_rel s WHERE s.srrelid = u.relid),
               coalesce(pg_catalog.pg_partition_root(u.relid)::pg_catalog.oid, u.relid)
        FROM defaults u
        JOIN pg_catalog.pg_class q ON q.oid = u.seq AND q.relkind = 'S'
        JOIN pg_catalog.pg_class c ON c.oid = u.relid AND c.relkind IN ('r', 'p')
        JOIN pg_catalog.pg_attribute a ON a.attrelid = u.relid AND a.attnum = u.attnum AND NOT a.attisdropped
        JOIN pg_catalog.pg_type x ON x.oid = a.atttypid
        JOIN pg_catalog.pg_type t ON t.oid = CASE WHEN x.typtype = 'd' THEN x.typbasetype ELSE x.oid END
        WHERE t.typname IN ('int2', 'int4', 'int8', 'numeric') AND t.oid < 16384
        """;

    public static async ValueTask<IReadOnlyList<SequenceFacts>> Read(Patient patient, CancellationToken cancellationToken)
    {
        var uses = (await patient.Session.Rows(
            Uses, row =>
            (Sequence: row.GetFieldValue<uint>(0), Use: patient.Relations.Find(row.GetFieldValue<uint>(1)) is { } table
            ? new SequenceUse(
                table, row.GetString(2), row.GetInt64(3), row.GetBoolean(4), row.GetBoolean(5), row.GetFieldValue<uint>(6))
            : null), cancellationToken)).Where(pair => pair.Use is not null).ToLookup(pair => pair.Sequence, pair => pair.Use!);
        var sequences =
            await patient.Session.Rows(Sequences, row => patient.Relations.Find(row.GetFieldValue<uint>(0)) is { } relation
            ? new SequenceFacts(relation, row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetBoolean(5))
            {
                Uses = WithoutPartitions([.. uses[relation.Oid]]),
            }
            : null, cancellationToken);
        return [.. sequences.OfType<SequenceFacts>()];
    }

    /// <summary>A partition inherits its root's default, and the root is read with all of its partitions.</summary>
    private static IReadOnlyList<SequenceUse> WithoutPartitions(IReadOnlyList<SequenceUse> uses) =>
        [.. uses.Where(use => use.RootOid == use.Table.Oid || uses.All(other => other.Table.Oid != use.RootOid))];
}
