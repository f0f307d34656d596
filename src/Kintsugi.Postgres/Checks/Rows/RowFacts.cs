using System.Text;
using System.Text.Json;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Checks.Rows;

/// <summary>The facts that every finding about rows carries, in the one form that <see cref="FactNames"/> promises.</summary>
internal static class RowFacts
{
    public static Dictionary<string, string> Of(RowQuestion question, RowRepair repair, string? flag)
    {
        var facts = new Dictionary<string, string>
        {
            [FactNames.From] = question.From,
            [FactNames.Violation] = question.Violation,
            [FactNames.KeyColumns] = List(question.Key),
            [FactNames.Repair] = Name(repair),
        };
        if (repair is RowRepair.SetExpression { Sql: var sql })
            facts[FactNames.RepairSql] = sql;
        if (question.Role is not null)
            facts[FactNames.Role] = question.Role;
        if (flag is not null)
            facts[FactNames.Flag] = flag;
        return facts;
    }

    public static string Word(bool yes) => yes ? "true" : "false";

    public static string List(IReadOnlyList<string> texts)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartArray();
            foreach (var text in texts)
                json.WriteStringValue(text);
            json.WriteEndArray();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static string Name(RowRepair repair) => repair switch
    {
        RowRepair.Quarantine => "quarantine",
        RowRepair.SetNull => "set_null",
        RowRepair.SetDefault => "set_default",
        RowRepair.RecreateParent => "recreate_parent",
        RowRepair.Delete => "delete",
        RowRepair.Nullify => "nullify",
        RowRepair.SetExpression => "set",
        _ => "report",
    };
}
