using System.Text;
using System.Text.Json;
using Kintsugi.Cli.Runtime;
using Kintsugi.Pages.Description;

namespace Kintsugi.Cli.Output;

/// <summary>A page taken apart, in both forms.</summary>
internal static class PageOutput
{
    private const int HexWidth = 16;

    public static async ValueTask Text(CliContext context, FetchedPage page, PageDescription description, bool hex)
    {
        var to = context.Out;
        await to.WriteLineAsync($"{Output.Text.Paint($"{description.Kind} page, block {page.Block}", Output.Text.Bold, context.Colour)} of {page.Source}, as it is on disk");
        foreach (var field in description.Root.Fields)
            await Field(context, field, 1);
        await to.WriteLineAsync();
        if (description.Flaws.Count == 0)
            await to.WriteLineAsync(Output.Text.Paint("Nothing is wrong with it by itself.", Output.Text.Green, context.Colour));
        foreach (var flaw in description.Flaws)
            await to.WriteLineAsync($"{Output.Text.Paint("WRONG", Output.Text.Red, context.Colour)}  {flaw.Describe()}");
        if (!hex)
            return;
        await to.WriteLineAsync();
        foreach (var line in Hex(page.Bytes))
            await to.WriteLineAsync(line);
    }

    public static string Json(FetchedPage page, PageDescription description, bool hex)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, JsonText.Options))
        {
            json.WriteStartObject();
            json.WriteString("format", "kintsugi.page/1");
            json.WriteString("source", page.Source);
            json.WriteNumber("block", page.Block);
            json.WriteString("kind", description.Kind);
            json.WriteStartArray("wrong");
            foreach (var flaw in description.Flaws)
                json.WriteStringValue(flaw.Describe());
            json.WriteEndArray();
            json.WritePropertyName("page");
            Field(json, description.Root);
            if (hex)
                json.WriteString("hex", Convert.ToHexStringLower(page.Bytes));
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static async ValueTask Field(CliContext context, PageField field, int depth)
    {
        var place = field.At < 0 ? "     " : $"{field.At,5}";
        await context.Out.WriteLineAsync($"{Output.Text.Paint(place, Output.Text.Dim, context.Colour)}{new string(' ', depth * 2)}{field.Name}"
            + (field.Value.Length > 0 ? $": {field.Value}" : ""));
        foreach (var wrong in field.Wrong)
            await context.Out.WriteLineAsync($"     {new string(' ', depth * 2)}{Output.Text.Paint($"WRONG: {wrong}", Output.Text.Red, context.Colour)}");
        foreach (var part in field.Fields)
            await Field(context, part, depth + 1);
    }

    private static void Field(Utf8JsonWriter json, PageField field)
    {
        json.WriteStartObject();
        json.WriteString("name", field.Name);
        json.WriteNumber("at", field.At);
        json.WriteNumber("length", field.Length);
        json.WriteString("value", field.Value);
        json.WriteStartArray("wrong");
        foreach (var wrong in field.Wrong)
            json.WriteStringValue(wrong);
        json.WriteEndArray();
        json.WriteStartArray("fields");
        foreach (var part in field.Fields)
            Field(json, part);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Every byte, sixteen a line, with the letters among them.</summary>
    public static IEnumerable<string> Hex(byte[] bytes)
    {
        for (var at = 0; at < bytes.Length; at += HexWidth)
        {
            var line = bytes.AsMemory(at, HexWidth);
            var letters = string.Concat(line.ToArray().Select(value => value is >= 32 and < 127 ? (char)value : '.'));
            yield return $"{at,5}  {string.Join(' ', line.ToArray().Select(value => value.ToString("x2")))}  {letters}";
        }
    }
}
