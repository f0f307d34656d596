using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Kintsugi.Configuration.Reading;

namespace Kintsugi.Configuration.Shapes;

/// <summary>Any value, kept as JSON: plain <c>5</c>, <c>true</c> and <c>null</c> are what they look like (YAML 1.2, core schema),
/// everything in quotes is a string.</summary>
internal sealed partial class JsonText : Shape<string>
{
    /// <summary>A schema of more is a mistake; aliases of aliases could otherwise grow without end.</summary>
    private const int MaxBytes = 1 << 20;

    public override JsonObject Schema() => new() { ["type"] = new JsonArray("object", "boolean") };

    public override bool IsWord(string text) => false;

    public override bool TryRead(Node node, string key, ReadingContext reading, [MaybeNullWhen(false)] out string value)
    {
        using var bytes = new MemoryStream();
        using var writer = new Utf8JsonWriter(bytes);
        var before = reading.Count;
        if (!Write(node, key, reading, writer))
        {
            reading.Mistake(node.Place, key, $"this is more than {MaxBytes / 1024} kB of JSON; put it into a file of its own");
        }

        writer.Flush();
        value = Encoding.UTF8.GetString(bytes.ToArray());
        return reading.Count == before;
    }

    /// <returns>False when it grew too large.</returns>
    private static bool Write(Node node, string key, ReadingContext reading, Utf8JsonWriter writer)
    {
        switch (node)
        {
            case MapNode map:
                writer.WriteStartObject();
                foreach (var entry in map.Entries)
                {
                    writer.WritePropertyName(entry.Key);
                    if (!Write(entry.Value, key, reading, writer))
                    {
                        return false;
                    }
                }

                writer.WriteEndObject();
                break;
            case ListNode list:
                writer.WriteStartArray();
                foreach (var item in list.Items)
                {
                    if (!Write(item, key, reading, writer))
                    {
                        return false;
                    }
                }

                writer.WriteEndArray();
                break;
            case TextNode text:
                WriteScalar(text, key, reading, writer);
                break;
        }

        return writer.BytesCommitted + writer.BytesPending < MaxBytes;
    }

    private static void WriteScalar(TextNode node, string key, ReadingContext reading, Utf8JsonWriter writer)
    {
        var text = node.Text;
        if (!node.Plain)
        {
            writer.WriteStringValue(text);
        }
        else if (node.IsNull)
        {
            writer.WriteNullValue();
        }
        else if (text is "true" or "True" or "TRUE" or "false" or "False" or "FALSE")
        {
            writer.WriteBooleanValue(text[0] is 't' or 'T');
        }
        else if (JsonNumber().IsMatch(text))
        {
            writer.WriteRawValue(text); // as written: a large or exact number keeps every digit
        }
        else if (OtherInteger().IsMatch(text))
        {
            writer.WriteRawValue(Integer(text).ToString(CultureInfo.InvariantCulture));
        }
        else if (OtherFloat().IsMatch(text))
        {
            writer.WriteNumberValue(double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture));
        }
        else if (NotInJson().IsMatch(text))
        {
            reading.Mistake(node.Place, key, $"JSON has no number {text}; put it in quotes if text was meant");
            writer.WriteNullValue();
        }
        else
        {
            writer.WriteStringValue(text);
        }
    }

    private static BigInteger Integer(string text) => text switch
    {
        ['0', 'x', .. var digits] => BigInteger.Parse("0" + digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
        ['0', 'o', .. var digits] => digits.Aggregate(BigInteger.Zero, (sum, digit) => (sum * 8) + (digit - '0')),
        _ => BigInteger.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture),
    };

    [GeneratedRegex(@"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$", RegexOptions.CultureInvariant)]
    private static partial Regex JsonNumber();

    [GeneratedRegex(@"^([-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", RegexOptions.CultureInvariant)]
    private static partial Regex OtherInteger();

    [GeneratedRegex(@"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$", RegexOptions.CultureInvariant)]
    private static partial Regex OtherFloat();

    [GeneratedRegex(@"^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$", RegexOptions.CultureInvariant)]
    private static partial Regex NotInJson();
}
