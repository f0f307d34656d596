using System.Globalization;
using System.Text;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>
/// The texts of many rows as something that a statement reads from: one parameter for each column, an array whose elements the column's own input
/// function reads, so that a thousand rows cost one statement and mean the same as one row would.
/// </summary>
internal sealed class ValueTable
{
    /// <summary>No column of a user's table: an expression of the owner's over his own columns must not become ambiguous.</summary>
    public const string Alias = "kintsugi_rows";

    private readonly List<string> functions = [];
    private readonly List<string> names = [];
    private readonly List<object?> parameters = [];

    /// <summary>What stands after FROM; the rows are numbered from 1.</summary>
    public string From => $"ROWS FROM ({string.Join(", ", functions)}) WITH ORDINALITY AS {Alias}({string.Join(", ", names)}, kintsugi_n)";
    public static string Number => $"{Alias}.kintsugi_n";
    public object?[] Parameters => [.. parameters];

    /// <summary>Adds texts, and gives the SQL that reads the one of a row.</summary>
    public string Texts(IEnumerable<string?> texts) => Add("pg_catalog.text[]", texts.ToArray());
    public string Longs(long[] numbers) => Add("pg_catalog.int8[]", numbers);
    public string Flags(bool[] flags) => Add("pg_catalog.bool[]", flags);

    /// <summary>Adds values of a column as its type writes them, and gives the SQL of the value of a row, of the type of the column (below its domain).</summary>
    public string Values(TableColumn column, IEnumerable<string?> values) => column.Listable
        ? Add($"{column.InputType}[]", new Untyped(Literal(values)))
        // Of an array, or of what has no array, the text is read by the conversion that a cast of a text is.
        : $"{Texts(values)}::{column.InputType}";

    /// <summary>Adds a parameter that is the same for all rows.</summary>
    public string Single(object? value)
    {
        parameters.Add(value);
        return $"${parameters.Count.ToString(CultureInfo.InvariantCulture)}";
    }

    /// <summary>An array in the form that the server reads; a text stands in quotes, a null does not.</summary>
    public static string Literal(IEnumerable<string?> values)
    {
        var text = new StringBuilder("{");
        foreach (var value in values)
        {
            if (text.Length > 1)
                text.Append(',');
            if (value is null)
                text.Append("NULL");
            else
                text.Append('"').Append(value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)).Append('"');
        }
        return text.Append('}').ToString();
    }

    private string Add(string type, object values)
    {
        functions.Add($"pg_catalog.unnest({Single(values)}::{type})");
        names.Add($"kintsugi_{names.Count.ToString(CultureInfo.InvariantCulture)}");
        return $"{Alias}.{names[^1]}";
    }
}
