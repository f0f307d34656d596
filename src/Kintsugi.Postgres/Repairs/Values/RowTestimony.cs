using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Checks.Values;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Values;

/// <summary>Something stored elsewhere that a row's values must agree with.</summary>
/// <param name="Name">A few words for the plan.</param>
/// <param name="Condition">SQL over the row's columns: true where they agree with it.</param>
/// <param name="Reads">The columns that it depends on.</param>
/// <param name="CallsOthers">Whether it calls functions that did not come with the server: then the table's owner's rights are taken.</param>
internal sealed record RowTestimony(string Name, string Condition, IReadOnlySet<string> Reads, bool CallsOthers)
{
    /// <summary>
    /// Whether it would not speak so of a row that has taken another's place since: a page of an index that is older than its table does.
    /// </summary>
    public bool IsIndependent { get; init; }

    /// <summary>Whether it only speaks for a value, never against one.</summary>
    public bool IsMild { get; init; }

    /// <summary>Whether it keeps the value itself, or what was computed of it: not only that it fits between others, or that somebody bears it.</summary>
    public bool HoldsValue { get; init; }

    public static string NameOf(string generatedColumn) => $"generated column {generatedColumn}";

    /// <summary>What is stored in a generated column, by the images of the values (rowtypes.c, record_image_eq).</summary>
    public static RowTestimony Of(GeneratedColumn column) => new(NameOf(column.Column),
        $"pg_catalog.record_image_eq(ROW({Quote.Identifier(column.Column)}), ROW(({column.Expression})::{column.Type}))",
        column.Bases.ToHashSet(), column.CallsOthers) { IsIndependent = true, HoldsValue = true };
}

/// <summary>Another value for one column of a row.</summary>
/// <param name="Bytes">As they would lie in the tuple: as many as now.</param>
internal sealed record ValueCandidate(byte[] Bytes, string Text);

/// <summary>Asks the server what each testimony would say if a column of a row had another value. Nothing is written.</summary>
internal sealed class RowTrial(Relation table, IReadOnlyList<StoredColumn> columns, IReadOnlyList<RowTestimony> testimonies, Patient patient)
{
    /// <returns>For each candidate, in order, what each testimony says of it; null where the row is not there any more.</returns>
    public async ValueTask<IReadOnlyList<bool[]>?> Try(
        string place, StoredColumn column, IReadOnlyList<ValueCandidate> candidates, CancellationToken cancellationToken)
    {
        const string Number = "\"number of the candidate\"";
        var type = column.Physical.TypeId;
        var others = string.Concat(columns.Where(other => other != column && !other.Physical.IsDropped).Select(other => $", t.{Quote.Identifier(other.Name)}"));
        var sql = $"SELECT ARRAY[{string.Join(", ", testimonies.Select(testimony => $"coalesce({testimony.Condition}, false)"))}] "
            + $"FROM (SELECT u.n AS {Number}, {StoredForm.FromText(type, "u.v")} AS {Quote.Identifier(column.Name)}{others} "
            + $"FROM ONLY {Quote.Name(table)} t CROSS JOIN pg_catalog.unnest($2::pg_catalog.text[]) WITH ORDINALITY u(v, n) "
            + $"WHERE t.ctid OPERATOR(pg_catalog.=) $1::pg_catalog.tid) AS {Quote.Identifier(table.Name)} ORDER BY {Number}";
        var role = OwnerRights.Role(table, testimonies.Any(testimony => testimony.CallsOthers), patient);
        return await Ask(candidates.Select(candidate => candidate.Text).ToArray(), texts => patient.Session.InTransaction(Evidence.Settings(role),
            session => session.Rows(sql, row => row.GetFieldValue<bool[]>(0), cancellationToken, place, texts), cancellationToken));
    }

    /// <summary>An expression may have no value for a candidate (out of range, division by zero): then that one cannot be, and the others are asked without it.</summary>
    private async ValueTask<IReadOnlyList<bool[]>?> Ask(string[] texts, Func<string[], ValueTask<IReadOnlyList<bool[]>>> ask)
    {
        try
        {
            var said = await ask(texts);
            return said.Count == texts.Length ? said : null;
        }
        catch (PatientException impossible) when (impossible.SqlState?.StartsWith("22", StringComparison.Ordinal) == true)
        {
            if (texts.Length == 1)
                return [new bool[testimonies.Count]];
            var half = texts.Length / 2;
            return await Ask(texts[..half], ask) is { } first && await Ask(texts[half..], ask) is { } second ? [.. first, .. second] : null;
        }
    }
}
