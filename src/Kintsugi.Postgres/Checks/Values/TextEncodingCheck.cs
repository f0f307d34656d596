using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Checks.Values;

/// <summary>
/// Every text, varchar, char, name, json, xml and citext value, and such values inside arrays, composite types and ranges, against the database's encoding. The server
/// verifies text when it comes in and never again. One pass lets the server's own verifier raise (SQLSTATE 22021); only where it
/// does are the rows searched, by the encoding's grammar over their bytes, which raises nothing.
/// </summary>
public sealed class TextEncodingCheck : IBatchCheck
{
    private const string InvalidText = "22021";
    private const string RuleName = "encoding";

    private const string Sql = """
        WITH RECURSIVE base AS (
          SELECT t.oid AS type, t.oid AS base FROM pg_catalog.pg_type t WHERE t.typtype <> 'd'
          UNION ALL
          SELECT t.oid, b.base FROM pg_catalog.pg_type t JOIN base b ON b.type = t.typbasetype WHERE t.typtype = 'd'),
        plain AS (
          SELECT b.type, x.typlen = -1 AND x.typelem <> 0 AND x.typcategory = 'A' AS list
          FROM base b JOIN pg_catalog.pg_type x ON x.oid = b.base
          LEFT JOIN base eb ON eb.type = x.typelem AND x.typcategory = 'A'
          LEFT JOIN pg_catalog.pg_type e ON e.oid = eb.base
          WHERE coalesce(e.typcategory, x.typcategory) = 'S' AND coalesce(e.typlen, x.typlen) IN (-1, 64)
            AND coalesce(e.typtype, x.typtype) = 'b'
               OR coalesce(e.oid, x.oid) IN (114, 142)),
        edges AS MATERIALIZED (
          SELECT t.oid AS type, t.typbasetype AS inside FROM pg_catalog.pg_type t WHERE t.typtype = 'd'
          UNION ALL SELECT t.oid, t.typelem FROM pg_catalog.pg_type t WHERE t.typelem <> 0 AND t.typlen = -1 AND t.typcategory = 'A'
          UNION ALL SELECT r.rngtypid, r.rngsubtype FROM pg_catalog.pg_range r
          UNION ALL SELECT (pg_catalog.to_jsonb(r) OPERATOR(pg_catalog.->>) 'rngmultitypid')::pg_catalog.oid, r.rngtypid FROM pg_catalog.pg_range r
          UNION ALL SELECT c.reltype, a.atttypid FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped WHERE c.reltype <> 0),
        holds AS (
          SELECT p.type FROM plain p
          UNION SELECT e.type FROM holds h JOIN edges e ON e.inside = h.type)
        SELECT a.attrelid, a.attname::pg_catalog.text, coalesce(p.list, false), pg_catalog.format_type(a.atttypid, -1), p.type IS NULL
        FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        JOIN holds h ON h.type = a.atttypid
        LEFT JOIN plain p ON p.type = a.atttypid
        WHERE c.relkind IN ('r', 'm') AND c.oid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped
          AND a.attgenerated <> 'v'
        ORDER BY a.attrelid, a.attnum
        """;

    /// <param name="Inside">The text is a part of a composite value or of a range: what that prints has ASCII between the parts.</param>
    private sealed record Column(Relation Table, string Name, bool Array, string Type, bool Inside)
    {
        private string Value => $"{Quote.Identifier(Table.Name)}.{Quote.Identifier(Name)}";

        /// <summary>A comma between the items, or halves of two characters could make a whole one.</summary>
        public string Text => Array ? $"pg_catalog.array_to_string({Value}, ',')" : $"{Value}::pg_catalog.text";

        public string Verified => $"pg_catalog.convert_to({Text}, pg_catalog.getdatabaseencoding())";
    }

    private sealed record TextPortion(Target Target, IReadOnlyList<Column> Columns, IReadOnlyList<string> Key) : Portion(Target);

    public string Id => "text-encoding";
    public string Proves => "every text is valid in the database's encoding";
    public Layer Layer => Layer.Value;
    public Depth Depth => Depth.Standard;
    public IReadOnlyList<FaultClass> Finds => [Faults.TextInvalid];
    public Needs Needs { get; } = new();

    public async ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken)
    {
        var keys = await TableKeys.Read(patient.Session, cancellationToken);
        var columns = await patient.Session.Rows(Sql, row => patient.Relations.Find(row.GetFieldValue<uint>(0)) is { } table
            ? new Column(table, row.GetString(1), row.GetBoolean(2), row.GetString(3), row.GetBoolean(4))
            : null, cancellationToken);
        // Apart from the rest: to print a composite value can fail for reasons of its other parts. A key that holds text may be what cannot be printed.
        return [.. columns.OfType<Column>().GroupBy(column => column.Table.Oid).SelectMany(table =>
        {
            var key = keys.Of(table.First().Table);
            IReadOnlyList<string> printed = key.Intersect(table.Select(column => column.Name)).Any() ? [] : key;
            return table.GroupBy(column => column.Inside).Select(group => Portion([.. group], printed, patient));
        })];
    }

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        var asked = (TextPortion)portion;
        try
        {
            await Verify(asked, asked.Columns, patient, cancellationToken);
            return Verdict.Sound.Instance;
        }
        catch (PatientException problem) when (problem.SqlState == InvalidText)
        {
            return await Accuse(asked, patient, cancellationToken);
        }
        catch (PatientException problem) when (problem.SqlState == SqlStates.UndefinedTable)
        {
            return new Verdict.NotApplicable("dropped meanwhile");
        }
    }

    public async ValueTask<IReadOnlyCollection<Portion>> Acquit(
        IReadOnlyList<Portion> portions, Patient patient, CancellationToken cancellationToken)
    {
        var small = await Small.Of(portions, patient, cancellationToken);
        await patient.Pace.Spend(small.Sum(one => one.Blocks) * 8192, cancellationToken);
        foreach (var few in small.Select(one => (TextPortion)one.Portion).Chunk(TablesPerStatement))
        {
            var sql = string.Join(" UNION ALL ", few.Select(portion => Passing(portion, portion.Columns, " + ")));
            await patient.Session.InTransaction(
                Evidence.Settings(null), inside => inside.Rows(sql, _ => 0, cancellationToken), cancellationToken);
        }
        return [.. small.Select(one => one.Portion)];
    }

    /// <summary>Each holds a lock until the statement ends; they are few beside max_locks_per_transaction.</summary>
    private const int TablesPerStatement = 25;

    private static TextPortion Portion(IReadOnlyList<Column> columns, IReadOnlyList<string> key, Patient patient)
    {
        var table = columns[0].Table;
        return new TextPortion(
            table.ToTarget(patient.Can.SystemIdentifier, patient.Relations.Database) with
            {
                Rule = columns[0].Inside ? $"{RuleName} inside" : RuleName,
            }, columns, key)
        {
            Relation = table,
            Weight = table.Pages,
            StandsOn = [table.Oid, table.ToastOid],
            Settled = Eligible.Settle(table, patient) ?? (patient.Can.Encoding == "SQL_ASCII"
                ? new Verdict.NotApplicable("the database's encoding is SQL_ASCII: it asks nothing of the bytes")
                : null),
        };
    }

    /// <summary>convert_to verifies what it is given before it converts nothing (mbutils.c, pg_convert).</summary>
    private static async ValueTask Verify(
        TextPortion portion, IReadOnlyList<Column> columns, Patient patient, CancellationToken cancellationToken)
    {
        foreach (var slice in await Slices.Of(portion.Relation!, 0, patient, cancellationToken))
        {
            await patient.Pace.Spend(slice.Bytes, cancellationToken);
            await patient.Session.InTransaction(Evidence.Settings(null),
                inside => inside.Rows(Passing(portion, columns, ", ") + slice.Where, _ => 0, cancellationToken), cancellationToken);
        }
    }

    private static string Passing(TextPortion portion, IReadOnlyList<Column> columns, string between) =>
        $"SELECT {string.Join(between, columns.Select(column => $"pg_catalog.count({column.Verified})"))} FROM ONLY {Quote.Name(portion.Relation!)}";

    private static async ValueTask<Verdict> Accuse(TextPortion portion, Patient patient, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        foreach (var column in portion.Columns)
        {
            try
            {
                await Verify(portion, [column], patient, cancellationToken);
            }
            catch (PatientException problem) when (problem.SqlState == InvalidText)
            {
                findings.Add(await ByRows(portion, column, problem, patient, cancellationToken) ?? ByError(portion, column, problem));
            }
        }
        return Verdict.From(findings);
    }

    private static async ValueTask<Finding?> ByRows(
        TextPortion portion, Column column, PatientException problem, Patient patient, CancellationToken cancellationToken)
    {
        var encoding = patient.Can.Encoding;
        var utf8 = encoding == "UTF8";
        // To a client of UTF-8 textsend converts, and fails at the very bytes that are looked for.
        var bytes = utf8 ? $"pg_catalog.textsend({column.Text})" : RowQuestion.BytesOf(column.Text);
        var question = new RowQuestion(
            column.Table, $"pg_catalog.encode({bytes}, 'hex') OPERATOR(pg_catalog.!~) '{EncodingGrammar.Text(encoding)}'", portion.Key)
        {
            Shown = $"pg_catalog.encode(pg_catalog.substring({bytes}, 1, 200), 'hex')",
            Raw = !utf8,
        };
        var found = await RowSearch.Find(question, patient, cancellationToken);
        if (found.Rows == 0)
            return null;
        var finding = Said.Finding(Faults.TextInvalid, At(portion, column), question, found,
            $"{Said.Rows(found)} whose {column.Name} is not valid {encoding}: {problem.Message}; bytes in "
                + $"hexadecimal{Said.Example(found)}",
            new RowRepair.Report(), null);
        // Rows are only kept, mended and put back where their text can travel: in UTF8.
        var facts = finding.Facts.Where(fact => utf8 || fact.Key != FactNames.Violation).ToDictionary();
        return finding with
        {
            SqlState = problem.SqlState,
            Hint = utf8 ? finding.Hint : $"compare the rows with a backup and set them by hand: text in {encoding} is not rewritten by Kintsugi",
            Facts = new Dictionary<string, string>(facts)
            {
                [FactNames.Columns] = RowFacts.List([column.Name]),
                [FactNames.Type] = column.Type,
                [FactNames.Inside] = RowFacts.Word(column.Inside),
                [FactNames.Values] = RowFacts.List([.. found.Sample.Take(20).Select(row => row.Shown ?? "")]),
            },
        };
    }

    /// <summary>Each column is a rule of its own: what mends one says nothing of the next.</summary>
    private static Target At(TextPortion portion, Column column) =>
        portion.Target with { Column = column.Name, Rule = $"{RuleName} of {column.Name}" };

    private static Finding ByError(TextPortion portion, Column column, PatientException problem) =>
        new(Faults.TextInvalid, At(portion, column),
            $"{column.Name} holds text that its encoding does not know: {problem.Message}")
        {
            SqlState = problem.SqlState,
            Hint = Said.Repairable,
            Facts = new Dictionary<string, string>
            {
                [FactNames.Columns] = RowFacts.List([column.Name]),
                [FactNames.Type] = column.Type,
                [FactNames.Inside] = RowFacts.Word(column.Inside),
            },
        };
}
