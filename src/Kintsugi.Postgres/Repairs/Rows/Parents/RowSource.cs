using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows.Parents;

/// <summary>Rows as something that a statement can read from: a table's own, or some that are in no table, under the alias that comparisons expect.</summary>
internal static class RowSource
{
    /// <summary>The number of a row that is in no table.</summary>
    public const string Number = "kintsugi_n";

    /// <summary>Rows that refer, in the place of the child.</summary>
    public static string Children(ForeignKey key, IReadOnlyList<ParentRow> rows, TableShape shape) =>
        Values(rows, key.Columns, shape, Quote.Identifier(key.Child.Name));

    /// <summary>Rows that are referred to, in the place of the parent.</summary>
    public static string Parents(ForeignKey key, IReadOnlyList<ParentRow> rows, TableShape shape) =>
        Values(rows, key.ParentColumns, shape, Quote.Identifier(key.ParentAlias));

    private static string Values(IReadOnlyList<ParentRow> rows, IReadOnlyList<string> columns, TableShape shape, string alias)
    {
        var types = columns.Select(column => shape.Columns.First(other => other.Name == column).InputType).ToList();
        var lines = rows.Select((row, n) => $"({n}, "
            + string.Join(", ", columns.Select((column, i) => $"{(row[column] is { } text ? Quote.Literal(text) : "NULL")}::{types[i]}")) + ")");
        return $"(VALUES {string.Join(", ", lines)}) AS {alias}({Number}, {string.Join(", ", columns.Select(Quote.Identifier))})";
    }
}

/// <summary>Rows that look for their parents.</summary>
/// <param name="From">What stands after FROM, under the name of the child.</param>
/// <param name="Condition">True for one without a parent.</param>
/// <param name="RawKeys">Gives their keys as they lie on pages, or null where they lie on none.</param>
internal sealed record Seekers(string From, string Condition, Func<CancellationToken, ValueTask<IReadOnlySet<string>?>> RawKeys);
