namespace Kintsugi.JsonSchema;

/// <summary>What one tape entry is. A name is followed by its value; a shadowed name lost to a later duplicate.</summary>
internal enum JsonKind : byte
{
    Null,
    False,
    True,
    Number,
    Text,
    Array,
    Object,
    Name,
    Shadowed,
}

/// <summary>One entry of a <see cref="Tape"/>: where its bytes lie, and where the next sibling starts.</summary>
internal struct TapeNode
{
    /// <summary>First byte of the number or of the unescaped text.</summary>
    public int Start;

    /// <summary>Bytes of a number or text; members of an array or object (shadowed ones not counted).</summary>
    public int Length;

    /// <summary>Index of the first tape entry after this value.</summary>
    public int Next;

    public JsonKind Kind;
}
