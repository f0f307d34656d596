using System.Text;

namespace Kintsugi.JsonSchema;

/// <summary>Gathers violations until there are enough.</summary>
internal sealed class Report(int limit)
{
    private readonly List<Violation> _violations = [];

    public bool IsFull => _violations.Count >= limit;

    public IReadOnlyList<Violation> Violations => _violations;

    public void Add(Tape tape, int at, SchemaNode node, string? keyword, string message)
    {
        if (IsFull)
            return;
        var rule = keyword is null ? node.Pointer : $"{node.Pointer}/{keyword}";
        _violations.Add(new Violation(PointerTo(tape, at), rule, message));
    }

    /// <summary>The way to an entry, found by walking down from the root: only the rare bad value pays for it.</summary>
    private static string PointerTo(Tape tape, int target)
    {
        var pointer = "";
        var at = 0;
        while (at != target)
        {
            var inObject = tape[at].Kind == JsonKind.Object;
            var child = at + 1;
            for (var position = 0; ; position++)
            {
                var value = inObject ? child + 1 : child;
                if (target < tape[value].Next)
                {
                    pointer = inObject
                        ? JsonPointer.Append(pointer, Encoding.UTF8.GetString(tape.Bytes(child)))
                        : JsonPointer.Append(pointer, position);
                    at = target == child ? target : value;
                    break;
                }

                child = tape[value].Next;
            }
        }

        return pointer;
    }
}
