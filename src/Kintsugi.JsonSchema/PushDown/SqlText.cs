using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Kintsugi.JsonSchema;

/// <summary>Constants and small expressions of SQL, every name and operator qualified.</summary>
internal static class SqlText
{
    /// <summary>Numbers with more digits or zeros than this are left to the validator: numeric has limits (manual 8.1).</summary>
    private const int MaxDigits = 500;

    public static string Infix(string left, string op, string right) => $"({left} OPERATOR(pg_catalog.{op}) {right})";

    /// <summary>A string constant that means the same whatever <c>standard_conforming_strings</c> says.</summary>
    public static string Quoted(string text)
    {
        var quoted = text.Replace("'", "''", StringComparison.Ordinal);
        return quoted.Contains('\\', StringComparison.Ordinal)
            ? $"E'{quoted.Replace("\\", "\\\\", StringComparison.Ordinal)}'"
            : $"'{quoted}'";
    }

    public static string Text(string text) => $"{Quoted(text)}::pg_catalog.text";

    public static string Texts(IEnumerable<string> texts) =>
        $"ARRAY[{string.Join(", ", texts.Select(Quoted))}]::pg_catalog.text[]";

    /// <summary>Null when numeric might not hold it.</summary>
    public static string? Number(ExactNumber number)
    {
        var text = number.ToString();
        return text.Length > MaxDigits || Math.Abs(number.Exponent) > MaxDigits ? null : $"{Quoted(text)}::pg_catalog.numeric";
    }

    public static string TypeOf(string value) => $"pg_catalog.jsonb_typeof({value})";

    public static string AsText(string value) => Infix(value, "#>>", "'{}'::pg_catalog.text[]");

    public static string AsNumber(string value) => $"CAST({value} AS pg_catalog.numeric)";

    /// <summary>PostgreSQL's texts hold no character of code zero, so nothing there ever equals one that does.</summary>
    public static bool Storable(ReadOnlySpan<byte> utf8) => !utf8.Contains((byte)0);

    public static bool Storable(string text) => !text.Contains('\0', StringComparison.Ordinal);

    /// <summary>A constant of jsonb.</summary>
    /// <param name="value">The value.</param>
    /// <param name="never">True: no jsonb can be equal to it.</param>
    /// <returns>Null when there is no such constant.</returns>
    public static string? Json(Tape value, out bool never)
    {
        never = false;
        var buffer = new ArrayBufferWriter<byte>();
        var options = new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using var writer = new Utf8JsonWriter(buffer, options);
        for (var at = 0; at < value[0].Next || at == 0; at++)
        {
            if (value[at].Kind is JsonKind.Text or JsonKind.Name && !Storable(value.Bytes(at)))
                never = true;
            if (value[at].Kind == JsonKind.Number && Number(ExactNumber.Parse(value.Bytes(at))) is null)
                return null;
        }

        if (never)
            return null;
        Write(writer, value, 0);
        writer.Flush();
        return $"{Quoted(Encoding.UTF8.GetString(buffer.WrittenSpan))}::pg_catalog.jsonb";
    }

    private static void Write(Utf8JsonWriter writer, Tape value, int at)
    {
        switch (value[at].Kind)
        {
            case JsonKind.Text:
                writer.WriteStringValue(value.Bytes(at));
                break;
            case JsonKind.Number:
                writer.WriteRawValue(value.Bytes(at), skipInputValidation: true);
                break;
            case JsonKind.Array:
                writer.WriteStartArray();
                for (var item = at + 1; item < value[at].Next; item = value[item].Next)
                    Write(writer, value, item);
                writer.WriteEndArray();
                break;
            case JsonKind.Object:
                writer.WriteStartObject();
                for (var name = at + 1; name < value[at].Next; name = value[name + 1].Next)
                {
                    if (value[name].Kind == JsonKind.Shadowed)
                        continue;
                    writer.WritePropertyName(value.Bytes(name));
                    Write(writer, value, name + 1);
                }

                writer.WriteEndObject();
                break;
            case JsonKind.Null:
                writer.WriteNullValue();
                break;
            default:
                writer.WriteBooleanValue(value[at].Kind == JsonKind.True);
                break;
        }
    }
}
