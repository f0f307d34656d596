using System.Text.Json.Nodes;
using Kintsugi.Configuration.Reading;
using Kintsugi.Rules;

namespace Kintsugi.Configuration.Shapes;

/// <summary>A column by its table.</summary>
internal sealed record ColumnPath(ObjectName Table, string Column);

/// <summary>Names of things in the database, by the rules of SQL identifiers. The schema is always named: which one a bare
/// name means would depend on a search_path.</summary>
internal static class Names
{
    private const string Rule = "names with capitals, blanks or dots are quoted as in SQL: 'public.\"Mixed Case\"'";

    public static readonly Shape<ObjectName> Object = new Scalar<ObjectName>("a name such as public.movies", Any, ParseObject);

    public static readonly Shape<ColumnPath> Column =
        new Scalar<ColumnPath>("a column such as public.movies.title", Any, ParseColumn);

    public static readonly Shape<ColumnPath> Constraint =
        new Scalar<ColumnPath>("a constraint such as public.movies.movies_check", Any, ParseColumn);

    public static readonly Shape<string> Simple = new Scalar<string>("a name such as id", Any, ParseSimple);

    private static JsonObject Any() => new() { ["type"] = "string", ["minLength"] = 1 };

    private static string? ParseObject(string text, ReadingContext reading, out ObjectName value)
    {
        value = null!;
        if (SqlName.Split(text) is not [var schema, var name])
        {
            return $"\"{text}\" is not of the form schema.name; {Rule}";
        }

        value = new(schema, name);
        return null;
    }

    private static string? ParseColumn(string text, ReadingContext reading, out ColumnPath value)
    {
        value = null!;
        if (SqlName.Split(text) is not [var schema, var table, var column])
        {
            return $"\"{text}\" is not of the form schema.table.name; {Rule}";
        }

        value = new(new(schema, table), column);
        return null;
    }

    private static string? ParseSimple(string text, ReadingContext reading, out string value)
    {
        value = "";
        if (SqlName.Split(text) is not [var name])
        {
            return $"\"{text}\" is not one name; {Rule}";
        }

        value = name;
        return null;
    }
}
