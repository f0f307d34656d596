using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Kintsugi.JsonSchema;

/// <summary>
/// A JSON text in a compact parsed form: one flat array of entries over one byte buffer, both reused from text to text,
/// so that validating a row allocates nothing. Texts are unescaped in place; of duplicate keys the last wins, as in jsonb.
/// </summary>
internal sealed class Tape
{
    private byte[] _text = new byte[1024];
    private TapeNode[] _nodes = new TapeNode[64];
    private int[] _open = new int[32];
    private int _count;

    public static Tape Of(ReadOnlySpan<byte> json, int maxDepth)
    {
        var tape = new Tape();
        tape.Load(json, maxDepth);
        return tape;
    }

    public ref readonly TapeNode this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref _nodes[index];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> Bytes(int index)
    {
        ref readonly var node = ref _nodes[index];
        return new ReadOnlySpan<byte>(_text, node.Start, node.Length);
    }

    /// <exception cref="JsonException">The bytes are no JSON, are nested too deeply, or hold half a surrogate pair.</exception>
    public void Load(ReadOnlySpan<byte> json, int maxDepth)
    {
        if (_text.Length < json.Length)
            _text = new byte[Math.Max(json.Length, _text.Length * 2)];
        json.CopyTo(_text);
        _count = 0;
        var depth = 0;
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = maxDepth });
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    Open(JsonKind.Object, ref depth);
                    break;
                case JsonTokenType.StartArray:
                    Open(JsonKind.Array, ref depth);
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    Close(_open[--depth]);
                    break;
                default:
                    Add(ref reader);
                    break;
            }
        }
    }

    /// <summary>Lets a name be judged as a text, and back.</summary>
    public void Retag(int index, JsonKind kind) => _nodes[index].Kind = kind;

    /// <summary>The value of a member of an object by name, or -1.</summary>
    public int Find(int container, ReadOnlySpan<byte> name)
    {
        for (var at = container + 1; at < _nodes[container].Next; at = _nodes[at + 1].Next)
        {
            if (_nodes[at].Kind == JsonKind.Name && Bytes(at).SequenceEqual(name))
                return at + 1;
        }

        return -1;
    }

    private void Open(JsonKind kind, ref int depth)
    {
        if (depth == _open.Length)
            Array.Resize(ref _open, depth * 2);
        _open[depth++] = _count;
        Append().Kind = kind;
    }

    private void Add(ref Utf8JsonReader reader)
    {
        ref var node = ref Append();
        node.Next = _count;
        node.Start = (int)reader.TokenStartIndex;
        switch (reader.TokenType)
        {
            case JsonTokenType.Number:
                node.Kind = JsonKind.Number;
                node.Length = reader.ValueSpan.Length;
                break;
            case JsonTokenType.String or JsonTokenType.PropertyName:
                node.Kind = reader.TokenType == JsonTokenType.String ? JsonKind.Text : JsonKind.Name;
                node.Start++;
                node.Length = reader.ValueIsEscaped ? Unescape(ref reader, node.Start) : reader.ValueSpan.Length;
                break;
            default:
                node.Kind = reader.TokenType switch
                {
                    JsonTokenType.True => JsonKind.True,
                    JsonTokenType.False => JsonKind.False,
                    _ => JsonKind.Null,
                };
                break;
        }
    }

    /// <summary>Unescaped text is never longer than escaped text, so it takes the same place.</summary>
    private int Unescape(ref Utf8JsonReader reader, int start)
    {
        try
        {
            return reader.CopyString(_text.AsSpan(start, reader.ValueSpan.Length));
        }
        catch (InvalidOperationException half)
        {
            throw new JsonException("a text holds half a surrogate pair, which is no character", half);
        }
    }

    private ref TapeNode Append()
    {
        if (_count == _nodes.Length)
            Array.Resize(ref _nodes, _count * 2);
        ref var node = ref _nodes[_count++];
        node = default;
        return ref node;
    }

    private void Close(int container)
    {
        ref var node = ref _nodes[container];
        node.Next = _count;
        if (node.Kind == JsonKind.Array)
        {
            for (var at = container + 1; at < _count; at = _nodes[at].Next)
                node.Length++;
            return;
        }

        for (var at = container + 1; at < _count; at = _nodes[at + 1].Next)
            node.Length++;
        node.Length -= node.Length <= Duplicates.Few
            ? Duplicates.ShadowFew(_nodes, _text, container)
            : Duplicates.ShadowMany(_nodes, _text, container);
    }
}
