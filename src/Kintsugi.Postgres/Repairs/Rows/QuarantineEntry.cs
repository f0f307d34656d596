using System.Data.Common;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>One row of kintsugi.quarantine.</summary>
/// <param name="Kind">removed, changed, moved, or added: a row that a repair brought back.</param>
/// <param name="Values">Each column's text as its type writes it; null where NULL or where <paramref name="Raw"/> holds the bytes.</param>
/// <param name="Changed">Of a changed row, the columns that the repair, or a trigger with it, altered.</param>
/// <param name="After">What those columns held after the repair; empty where the server changed the row itself. Of an added row the entry that it came from.</param>
public sealed record QuarantineEntry(
    long Id, DateTimeOffset At, string Case, string Relation, string Kind, string? Rule, string Key, IReadOnlyList<string> Columns,
    IReadOnlyList<string> Types, IReadOnlyList<string?> Values, IReadOnlyList<byte[]?> Raw, string Display, IReadOnlyList<string> Changed,
    IReadOnlyList<string?> After, string? AfterPlace, string? AfterVersion, DateTimeOffset? RestoredAt)
{
    /// <summary>The OID of its table when it was put away, and the number of each column; 0 and empty of entries from before these were kept.</summary>
    public uint RelationOid { get; init; }
    public IReadOnlyList<short> Numbers { get; init; } = [];

    /// <summary>Of an added row: no transaction with a smaller id was still at work when it was added (xid8 as text).</summary>
    public string? Horizon { get; init; }

    /// <summary>The schema's version from which on the three are kept.</summary>
    private const int WithNumbers = 2;

    private const string Sql = """
        SELECT q.id, q.at, q.case_id, coalesce((SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)
                   FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = q.relation), q.relation_name),
               q.kind, q.rule, q.key::pg_catalog.text, q.columns, q.types, q."values", q.raw, q.display::pg_catalog.text, q.changed,
               coalesce(q.after, '{}'), q.after_ctid, q.after_xmin, q.restored_at
        """;

    /// <summary>Entries in the order in which they were put away; an empty list where there is no quarantine.</summary>
    /// <param name="where">A condition on q.</param>
    public static async ValueTask<IReadOnlyList<QuarantineEntry>> Read(
        WriteSession session, string where, CancellationToken cancellationToken, params object?[] parameters) =>
        await PatientSchema.Version(session, cancellationToken) switch
        {
            0 => [],
            var version => await session.Rows($"{Sql}, {(version < WithNumbers ? "NULL::pg_catalog.oid, NULL::pg_catalog.int2[], NULL::pg_catalog.text"
                : "q.relation_oid, q.numbers, q.horizon")} FROM kintsugi.quarantine q WHERE {where} ORDER BY q.id", Entry, cancellationToken, parameters),
        };

    private static QuarantineEntry Entry(DbDataReader row) => new(
        row.GetInt64(0), row.GetFieldValue<DateTimeOffset>(1), row.GetString(2), row.GetString(3), row.GetString(4), Text(row, 5), row.GetString(6),
        row.GetFieldValue<string[]>(7), row.GetFieldValue<string[]>(8), row.GetFieldValue<string?[]>(9), row.GetFieldValue<byte[]?[]>(10),
        row.GetString(11), row.GetFieldValue<string[]>(12), row.GetFieldValue<string?[]>(13), Text(row, 14), Text(row, 15),
        row.IsDBNull(16) ? null : row.GetFieldValue<DateTimeOffset>(16))
    {
        RelationOid = row.IsDBNull(17) ? 0 : row.GetFieldValue<uint>(17),
        Numbers = row.IsDBNull(18) ? [] : row.GetFieldValue<short[]>(18),
        Horizon = Text(row, 19),
    };

    private static string? Text(DbDataReader row, int at) => row.IsDBNull(at) ? null : row.GetString(at);
}
