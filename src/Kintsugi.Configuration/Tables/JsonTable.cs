using System.Text.Json;
using Kintsugi.Configuration.Shapes;
using Kintsugi.Rules;

namespace Kintsugi.Configuration.Tables;

/// <summary><c>consistency.json:</c></summary>
internal static class JsonTable
{
    private static readonly Key<string?> Name = new("name", Is.Text!, "The name of the rule in findings; the column's when absent.");
    private static readonly Key<ColumnPath> Column = new("column", Names.Column, "The column, as schema.table.column.", required: true);
    private static readonly Key<string?> Inline = new("schema", new JsonText()!, "A JSON Schema (draft 2020-12), written here.");
    private static readonly Key<string?> InFile = new("schema_file", Is.Path!, "A JSON Schema in a file beside this one.");
    private static readonly Key<bool> Nulls = new(
        "nulls", Is.OneOf(("allowed", true), ("forbidden", false)), "Whether NULL is in order: allowed or forbidden.", true);
    private static readonly Key<RowRepair> Repair = RepairTable.KeyWithExpression("report", "nullify", "quarantine");

    public static readonly Mapping<JsonRule> Shape = new(
        [Name, Column, Inline, InFile, Nulls, Repair, FlagColumn.Key],
        values =>
        {
            var column = values.Get(Column);
            var repair = values.Get(Repair);
            if (repair is RowRepair.Nullify && !values.Get(Nulls))
            {
                values.Mistake(Repair, "nullify puts NULL where nulls: forbidden forbids it; choose another repair, or allow nulls");
            }

            FlagColumn.RefuseWithoutChange(values, Repair);
            return new(
                values.Get(Name) ?? $"{column.Table}.{SqlName.Write(column.Column)}",
                column.Table, column.Column, Schema(values), values.Get(Nulls), repair, values.Get(FlagColumn.Key));
        });

    private static string Schema(GivenValues values)
    {
        if (values.Has(Inline) == values.Has(InFile))
        {
            values.Mistake("give either schema or schema_file");
            return "true";
        }

        var at = values.Has(Inline) ? (Key)Inline : InFile;
        var text = values.Get(Inline) ?? FromFile(values, values.Get(InFile)!);
        if (text is not null && values.Reading.Around.SchemaMistake?.Invoke(text) is { } wrong)
        {
            values.Mistake(at, $"the JSON Schema cannot be used: {wrong}");
        }

        return text ?? "true";
    }

    private static string? FromFile(GivenValues values, string file)
    {
        if (values.Reading.Around.ReadFile(file) is not { } text)
        {
            values.Mistake(InFile, $"the file {file} is not there or cannot be read by this user");
            return null;
        }

        try
        {
            using var parsed = JsonDocument.Parse(text);
            return text;
        }
        catch (JsonException wrong)
        {
            values.Mistake(InFile, $"the file {file} is not JSON: {wrong.Message}");
            return null;
        }
    }
}
