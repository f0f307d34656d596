using System.Collections.Frozen;

namespace Kintsugi.JsonSchema;

/// <summary>The seven type names (validation 6.1.1); every integer is a number too.</summary>
[Flags]
internal enum Types
{
    None = 0,
    Null = 1,
    Boolean = 2,
    Integer = 4,
    Number = 8 | Integer,
    Text = 16,
    Array = 32,
    Object = 64,
    Any = Null | Boolean | Number | Text | Array | Object,
}

internal static class TypeNames
{
    public static FrozenDictionary<string, Types> All { get; } = new Dictionary<string, Types>
    {
        ["null"] = Types.Null,
        ["boolean"] = Types.Boolean,
        ["integer"] = Types.Integer,
        ["number"] = Types.Number,
        ["string"] = Types.Text,
        ["array"] = Types.Array,
        ["object"] = Types.Object,
    }.ToFrozenDictionary(StringComparer.Ordinal);
}
