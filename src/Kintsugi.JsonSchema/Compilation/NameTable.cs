using System.Text;

namespace Kintsugi.JsonSchema;

/// <summary>Finds a property name among those a schema mentions, by its UTF-8 bytes, without allocating.</summary>
internal sealed class NameTable
{
    private readonly byte[][] _names;
    private readonly int[] _slots;
    private readonly int _mask;

    public NameTable(IReadOnlyList<string> names)
    {
        _names = names.Select(Encoding.UTF8.GetBytes).ToArray();
        var size = 4;
        while (size < _names.Length * 3)
            size *= 2;
        _mask = size - 1;
        _slots = new int[size];
        for (var i = 0; i < _names.Length; i++)
        {
            var slot = Hash(_names[i]) & _mask;
            while (_slots[slot] != 0)
                slot = (slot + 1) & _mask;
            _slots[slot] = i + 1;
        }
    }

    public static NameTable Empty { get; } = new([]);

    public int Count => _names.Length;

    public ReadOnlySpan<byte> this[int index] => _names[index];

    public string Text(int index) => Encoding.UTF8.GetString(_names[index]);

    /// <returns>The position of the name, or -1.</returns>
    public int Find(ReadOnlySpan<byte> name)
    {
        for (var slot = Hash(name) & _mask; _slots[slot] != 0; slot = (slot + 1) & _mask)
        {
            var at = _slots[slot] - 1;
            if (name.SequenceEqual(_names[at]))
                return at;
        }

        return -1;
    }

    /// <summary>Length, both ends and the middle tell names of one schema apart; the table has room for the rest.</summary>
    private static int Hash(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty)
            return 0;
        var hash = (uint)name.Length;
        hash = (hash * 0x9E3779B1) ^ name[0];
        hash = (hash * 0x9E3779B1) ^ name[^1];
        hash = (hash * 0x9E3779B1) ^ name[name.Length / 2];
        return (int)((hash ^ (hash >> 15)) & int.MaxValue);
    }
}
