using System.Text;
using System.Text.Json;
using Kintsugi.Configuration.Tables;

namespace Kintsugi.Configuration;

/// <summary>The JSON Schema of config.yaml, for editors: made from the same table that reads the file.</summary>
public static class ConfigurationSchema
{
    /// <summary>Indented JSON, ending in a newline.</summary>
    public static string Text()
    {
        var schema = RootTable.Shape.Schema();
        schema.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        schema.Insert(1, "title", "Kintsugi config.yaml");
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true }))
        {
            schema.WriteTo(writer);
        }

        return Encoding.UTF8.GetString(bytes.ToArray()) + "\n";
    }
}
