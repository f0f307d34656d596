namespace Kintsugi.JsonSchema;

/// <summary>Marks every member of an object whose name comes again later: PostgreSQL keeps the last (manual 8.14).</summary>
internal static class Duplicates
{
    /// <summary>Up to so many members, comparing each with each is cheaper than hashing.</summary>
    public const int Few = 12;

    /// <returns>How many were shadowed.</returns>
    public static int ShadowFew(TapeNode[] nodes, byte[] text, int container)
    {
        var shadowed = 0;
        var end = nodes[container].Next;
        for (var at = container + 1; at < end; at = nodes[at + 1].Next)
        {
            var length = nodes[at].Length;
            var name = text.AsSpan(nodes[at].Start, length);
            for (var later = nodes[at + 1].Next; later < end; later = nodes[later + 1].Next)
            {
                if (nodes[later].Length != length || !text.AsSpan(nodes[later].Start, length).SequenceEqual(name))
                    continue;
                nodes[at].Kind = JsonKind.Shadowed;
                shadowed++;
                break;
            }
        }

        return shadowed;
    }

    /// <summary>The same for objects of any size, in one pass: a hostile document must not cost quadratic time.</summary>
    public static int ShadowMany(TapeNode[] nodes, byte[] text, int container)
    {
        var shadowed = 0;
        var last = new Dictionary<Name, int>(nodes[container].Length);
        for (var at = container + 1; at < nodes[container].Next; at = nodes[at + 1].Next)
        {
            var name = new Name(text, nodes[at].Start, nodes[at].Length);
            if (last.TryGetValue(name, out var earlier))
            {
                nodes[earlier].Kind = JsonKind.Shadowed;
                shadowed++;
            }

            last[name] = at;
        }

        return shadowed;
    }

    private readonly struct Name(byte[] text, int start, int length) : IEquatable<Name>
    {
        private ReadOnlySpan<byte> Bytes => text.AsSpan(start, length);

        public bool Equals(Name other) => Bytes.SequenceEqual(other.Bytes);

        public override bool Equals(object? obj) => obj is Name other && Equals(other);

        public override int GetHashCode()
        {
            var hash = new HashCode();
            hash.AddBytes(Bytes);
            return hash.ToHashCode();
        }
    }
}
