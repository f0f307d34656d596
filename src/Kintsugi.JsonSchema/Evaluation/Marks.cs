namespace Kintsugi.JsonSchema;

/// <summary>Which members of one array or object were evaluated by some keyword (core 11): a set of positions.</summary>
internal sealed class Marks
{
    private ulong[] _bits = new ulong[4];

    public void Clear() => Array.Clear(_bits);

    public void Set(int position)
    {
        if (position >> 6 >= _bits.Length)
            Array.Resize(ref _bits, Math.Max(_bits.Length * 2, (position >> 6) + 1));
        _bits[position >> 6] |= 1UL << (position & 63);
    }

    public bool Has(int position) =>
        position >> 6 < _bits.Length && (_bits[position >> 6] & (1UL << (position & 63))) != 0;

    public void Merge(Marks other)
    {
        if (other._bits.Length > _bits.Length)
            Array.Resize(ref _bits, other._bits.Length);
        for (var i = 0; i < other._bits.Length; i++)
            _bits[i] |= other._bits[i];
    }
}
