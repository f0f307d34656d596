using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Values;

/// <summary>A jsonb document as JSON (jsonb.h). Numbers keep every digit that is stored.</summary>
internal static class JsonbText
{
    private const uint Mask = 0x0FFFFFFF, HasOffset = 0x80000000, IsObject = 0x20000000, IsScalar = 0x10000000;
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = 1000 };

    public static string? Of(ReadOnlySpan<byte> data)
    {
        if (!JsonbInspector.IsPossible(data, out _))
            return null;
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Plain))
            Container(json, data, 0);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    // Start is the container's place in the document: numbers and containers are aligned to four bytes of it.
    private static void Container(Utf8JsonWriter json, ReadOnlySpan<byte> data, int start)
    {
        var header = LittleEndian.U32(data, 0);
        var count = (int)(header & Mask);
        var isObject = (header & IsObject) != 0;
        var entries = isObject ? 2 * count : count;
        var values = data[(4 + 4 * entries)..];
        var ends = Ends(data, entries);
        if (isObject)
            json.WriteStartObject();
        else if ((header & IsScalar) == 0)
            json.WriteStartArray();
        for (var i = 0; i < count; i++)
        {
            var value = isObject ? count + i : i;
            if (isObject)
                json.WritePropertyName(values[(i == 0 ? 0 : ends[i - 1])..ends[i]]);
            var from = value == 0 ? 0 : ends[value - 1];
            Value(json, LittleEndian.U32(data, 4 + 4 * value) >> 28 & 7, values[from..ends[value]], start + 4 + 4 * entries + from);
        }
        if (isObject)
            json.WriteEndObject();
        else if ((header & IsScalar) == 0)
            json.WriteEndArray();
    }

    private static int[] Ends(ReadOnlySpan<byte> data, int entries)
    {
        var ends = new int[entries];
        for (var i = 0; i < entries; i++)
        {
            var entry = LittleEndian.U32(data, 4 + 4 * i);
            ends[i] = (int)(entry & Mask) + ((entry & HasOffset) != 0 || i == 0 ? 0 : ends[i - 1]);
        }
        return ends;
    }

    private static void Value(Utf8JsonWriter json, uint type, ReadOnlySpan<byte> value, int place)
    {
        var padding = Math.Min(-place & 3, value.Length);
        switch (type)
        {
            case 0:
                json.WriteStringValue(value);
                break;
            case 1:
                var number = value[padding..];
                // jsonb holds no infinity and no NaN, so the text is a JSON number.
                json.WriteRawValue(NumericText.Of(number[((number[0] & 1) != 0 ? 1 : 4)..]) ?? throw new ArgumentException("no number"));
                break;
            case 2 or 3:
                json.WriteBooleanValue(type == 3);
                break;
            case 4:
                json.WriteNullValue();
                break;
            default:
                Container(json, value[padding..], place + padding);
                break;
        }
    }
}
