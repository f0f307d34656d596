using System.Runtime.CompilerServices;

namespace Kintsugi.JsonSchema;

/// <summary>Equality of JSON values: numbers by value, objects whatever the order of their members.</summary>
internal static class TapeEquality
{
    public static bool Equal(Tape left, int a, Tape right, int b)
    {
        ref readonly var x = ref left[a];
        ref readonly var y = ref right[b];
        if (x.Kind != y.Kind)
            return false;
        switch (x.Kind)
        {
            case JsonKind.Text:
                return left.Bytes(a).SequenceEqual(right.Bytes(b));
            case JsonKind.Number:
                return left.Bytes(a).SequenceEqual(right.Bytes(b))
                    || ExactNumber.Parse(left.Bytes(a)).CompareTo(ExactNumber.Parse(right.Bytes(b))) == 0;
            case JsonKind.Array:
                return x.Length == y.Length && EqualItems(left, a, right, b);
            case JsonKind.Object:
                return x.Length == y.Length && EqualMembers(left, a, right, b);
            default:
                return true;
        }
    }

    /// <summary>Equal values hash alike.</summary>
    public static int Hash(Tape tape, int at)
    {
        EnsureStack();
        ref readonly var node = ref tape[at];
        var hash = new HashCode();
        hash.Add((byte)node.Kind);
        switch (node.Kind)
        {
            case JsonKind.Text:
                hash.AddBytes(tape.Bytes(at));
                break;
            case JsonKind.Number:
                hash.Add(ExactNumber.Parse(tape.Bytes(at)).GetHashCode());
                break;
            case JsonKind.Array:
                for (var item = at + 1; item < node.Next; item = tape[item].Next)
                    hash.Add(Hash(tape, item));
                break;
            case JsonKind.Object:
                hash.Add(HashMembers(tape, at));
                break;
        }

        return hash.ToHashCode();
    }

    /// <summary>The first pair of equal items of an array, as positions, or null.</summary>
    public static (int First, int Second)? Twins(Tape tape, int array)
    {
        if (tape[array].Length < 2)
            return null;
        var seen = new Dictionary<int, List<(int At, int Position)>>();
        var position = 0;
        for (var item = array + 1; item < tape[array].Next; item = tape[item].Next, position++)
        {
            var hash = Hash(tape, item);
            if (!seen.TryGetValue(hash, out var alike))
                seen[hash] = alike = [];
            foreach (var (at, earlier) in alike)
            {
                if (Equal(tape, at, tape, item))
                    return (earlier, position);
            }

            alike.Add((item, position));
        }

        return null;
    }

    private static bool EqualItems(Tape left, int a, Tape right, int b)
    {
        EnsureStack();
        for (int i = a + 1, j = b + 1; i < left[a].Next; i = left[i].Next, j = right[j].Next)
        {
            if (!Equal(left, i, right, j))
                return false;
        }

        return true;
    }

    private static bool EqualMembers(Tape left, int a, Tape right, int b)
    {
        EnsureStack();
        for (var name = a + 1; name < left[a].Next; name = left[name + 1].Next)
        {
            if (left[name].Kind == JsonKind.Shadowed)
                continue;
            var other = right.Find(b, left.Bytes(name));
            if (other < 0 || !Equal(left, name + 1, right, other))
                return false;
        }

        return true;
    }

    private static int HashMembers(Tape tape, int at)
    {
        var sum = 0;
        for (var name = at + 1; name < tape[at].Next; name = tape[name + 1].Next)
        {
            if (tape[name].Kind == JsonKind.Shadowed)
                continue;
            var member = new HashCode();
            member.AddBytes(tape.Bytes(name));
            member.Add(Hash(tape, name + 1));
            sum = unchecked(sum + member.ToHashCode());
        }

        return sum;
    }

    private static void EnsureStack()
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new UndecidedException("the document is nested too deeply to compare");
    }
}
