using System.Numerics;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Kintsugi.JsonSchema;

/// <summary>Reads the values of keywords and records what is wrong with them.</summary>
internal static class KeywordValues
{
    public static ExactNumber? Number(SchemaBuilder builder, SchemaSite site, JsonProperty member)
    {
        if (member.Value.ValueKind == JsonValueKind.Number)
            return ExactNumber.Parse(JsonMarshal.GetRawUtf8Value(member.Value));
        builder.Fail(site, member.Name, $"expected a number, found {Describe.Kind(member.Value.ValueKind)}");
        return null;
    }

    /// <summary>A count of zero or more. What is larger than any document can be is taken as the largest int.</summary>
    public static long Count(SchemaBuilder builder, SchemaSite site, JsonProperty member)
    {
        if (member.Value.ValueKind == JsonValueKind.Number)
        {
            var number = ExactNumber.Parse(JsonMarshal.GetRawUtf8Value(member.Value));
            if (number.Exponent >= 0 && number.Sign >= 0)
                return number.CompareTo(ExactNumber.Of(int.MaxValue)) >= 0
                    ? int.MaxValue
                    : (long)(number.Mantissa * BigInteger.Pow(10, (int)number.Exponent));
        }

        builder.Fail(site, member.Name, $"expected a whole number of zero or more, found {member.Value.GetRawText()}");
        return 0;
    }

    public static bool Flag(SchemaBuilder builder, SchemaSite site, JsonProperty member)
    {
        if (member.Value.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
            builder.Fail(site, member.Name, $"expected true or false, found {Describe.Kind(member.Value.ValueKind)}");
        return member.Value.ValueKind == JsonValueKind.True;
    }

    public static string? Text(SchemaBuilder builder, SchemaSite site, JsonProperty member)
    {
        if (member.Value.ValueKind == JsonValueKind.String)
            return member.Value.GetString();
        builder.Fail(site, member.Name, $"expected a string, found {Describe.Kind(member.Value.ValueKind)}");
        return null;
    }

    public static List<string> Names(SchemaBuilder builder, SchemaSite site, string keyword, JsonElement list)
    {
        if (list.ValueKind != JsonValueKind.Array || list.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String))
        {
            builder.Fail(site, keyword, "expected an array of property names");
            return [];
        }

        return list.EnumerateArray().Select(item => item.GetString()!).Distinct(StringComparer.Ordinal).ToList();
    }
}
