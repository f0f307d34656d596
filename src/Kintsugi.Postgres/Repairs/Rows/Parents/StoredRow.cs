using Kintsugi.Pages.Heap;
using Kintsugi.Pages.Values;

namespace Kintsugi.Postgres.Repairs.Rows.Parents;

/// <summary>Reads the columns of a table's stored tuples as text: dropped columns are stepped over, columns added later take the value of that time.</summary>
internal sealed class StoredRow(IReadOnlyList<StoredColumn> columns, IReadOnlyDictionary<uint, string> labels)
{
    private const string Columns = """
        SELECT a.attname::pg_catalog.text, a.attlen, a.attalign::pg_catalog.text, a.atttypid, a.attisdropped OR a.attgenerated <> '',
               (a.attmissingval::pg_catalog.text::pg_catalog.text[])[1], coalesce(p.prosrc, ''), coalesce(ep.prosrc, ''), e.typlen, e.typalign::pg_catalog.text,
               pg_catalog.format_type(a.atttypid, a.atttypmod)
        FROM pg_catalog.pg_attribute a
        LEFT JOIN LATERAL (
          WITH RECURSIVE d(oid, base) AS (
            SELECT t.oid, t.typbasetype FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid
            UNION ALL SELECT t.oid, t.typbasetype FROM d JOIN pg_catalog.pg_type t ON t.oid = d.base)
          SELECT d.oid FROM d WHERE d.base = 0) b ON true
        LEFT JOIN pg_catalog.pg_type t ON t.oid = b.oid
        LEFT JOIN pg_catalog.pg_proc p ON p.oid = t.typoutput AND p.prolang = (SELECT l.oid FROM pg_catalog.pg_language l WHERE l.lanname = 'internal')
        LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND p.prosrc = 'array_out'
        LEFT JOIN pg_catalog.pg_proc ep ON ep.oid = e.typoutput AND ep.prolang = p.prolang
        WHERE a.attrelid = $1 AND a.attnum > 0 ORDER BY a.attnum
        """;

    private const string Labels = "SELECT e.oid, e.enumlabel::pg_catalog.text FROM pg_catalog.pg_enum e";

    private readonly HeapColumn[] places = [.. columns.Select(column => column.Place)];

    public static async ValueTask<StoredRow> Of(Relation table, IReadSession session, CancellationToken cancellationToken)
    {
        var columns = await session.Rows(Columns, row => new StoredColumn(
            row.GetString(0), new HeapColumn(row.GetInt16(1), HeapColumn.AlignmentOf(row.GetString(2)[0]), row.GetFieldValue<uint>(3)),
            new DatumType(row.GetString(6), row.GetInt16(1), HeapColumn.AlignmentOf(row.GetString(2)[0]), row.IsDBNull(8) ? null
                : new DatumType(row.GetString(7), row.GetInt16(8), HeapColumn.AlignmentOf(row.GetString(9)[0]))),
            row.GetBoolean(4), row.IsDBNull(5) ? null : row.GetString(5), row.IsDBNull(10) ? "" : row.GetString(10)), cancellationToken, table.Oid);
        var labels = await session.Rows(Labels, row => (row.GetFieldValue<uint>(0), row.GetString(1)), cancellationToken);
        return new StoredRow(columns, labels.ToDictionary(label => label.Item1, label => label.Item2));
    }

    /// <summary>The values of those columns, where all of them stand in the row itself; null where one does not, or is of a type that is not read here.</summary>
    public IReadOnlyList<string?>? ReadInRow(byte[] tuple, IReadOnlyList<string> wanted)
    {
        var slices = new AttributeSlice[places.Length];
        TupleReader.Deform(tuple, places, slices);
        var values = new List<string?>();
        foreach (var name in wanted)
        {
            var at = columns.TakeWhile(column => column.Skipped || column.Name != name).Count();
            if (at == places.Length || slices[at].Form is not (AttributeForm.Fixed or AttributeForm.Plain or AttributeForm.Packed)
                || DatumText.Of(slices[at].Data(tuple), columns[at].Type, oid => labels.GetValueOrDefault(oid)) is not { } text)
                return null;
            values.Add(text);
        }
        return values;
    }

    /// <returns>The columns that are written to bring the row back, or why its bytes cannot all be told as text.</returns>
    public async ValueTask<(IReadOnlyList<string> Columns, IReadOnlyList<string?> Values, string? Obstacle)> Read(
        byte[] tuple, int major, ToastedValues toast, CancellationToken cancellationToken)
    {
        var slices = new AttributeSlice[places.Length];
        if (TupleReader.Deform(tuple, places, slices) < 0)
            return ([], [], "its columns cannot be told apart");
        var names = new List<string>();
        var values = new List<string?>();
        for (var i = 0; i < places.Length; i++)
        {
            var column = columns[i];
            if (column.Skipped)
                continue;
            names.Add(column.Name);
            if (slices[i].Form is AttributeForm.Null or AttributeForm.Missing)
            {
                values.Add(slices[i].Form == AttributeForm.Null ? null : column.Missing);
                continue;
            }
            if (await toast.Unpacked(tuple, slices[i], major, cancellationToken) is not { } data)
                return ([], [], $"the value of column {column.Name} lies outside the row and is not whole any more, or is packed in a way that is not known here");
            if (DatumText.Of(data, column.Type, oid => labels.GetValueOrDefault(oid)) is not { } text)
                return ([], [], $"column {column.Name} is of type {column.TypeName}, whose stored form is not read here, or its bytes are none of its values");
            values.Add(text);
        }
        return (names, values, null);
    }
}

/// <param name="Skipped">Dropped or generated: not written.</param>
/// <param name="Missing">Its value in rows that are older than the column.</param>
internal sealed record StoredColumn(string Name, HeapColumn Place, DatumType Type, bool Skipped, string? Missing, string TypeName);
