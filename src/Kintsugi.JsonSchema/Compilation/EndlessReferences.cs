namespace Kintsugi.JsonSchema;

/// <summary>A schema that applies itself to the same value again never comes to an end (core 9.4.1).</summary>
internal static class EndlessReferences
{
    private enum State
    {
        Open,
        Done,
    }

    public static void Report(IReadOnlyList<SchemaNode> nodes, List<SchemaError> errors)
    {
        var states = new Dictionary<SchemaNode, State>();
        foreach (var node in nodes)
            Visit(node, states, errors);
    }

    private static void Visit(SchemaNode start, Dictionary<SchemaNode, State> states, List<SchemaError> errors)
    {
        if (states.ContainsKey(start))
            return;
        var path = new Stack<(SchemaNode Node, IEnumerator<SchemaNode> Next)>();
        states[start] = State.Open;
        path.Push((start, SameValue(start).GetEnumerator()));
        while (path.TryPeek(out var top))
        {
            if (!top.Next.MoveNext())
            {
                states[top.Node] = State.Done;
                path.Pop();
                continue;
            }

            var next = top.Next.Current;
            if (!states.TryGetValue(next, out var state))
            {
                states[next] = State.Open;
                path.Push((next, SameValue(next).GetEnumerator()));
            }
            else if (state == State.Open)
            {
                errors.Add(new SchemaError(top.Node.Pointer,
                    $"applies \"{next.Pointer}\", which leads back here, to the same value without end"));
            }
        }
    }

    /// <summary>Every schema that is applied to the same value; dynamic references are bounded when they run.</summary>
    private static IEnumerable<SchemaNode> SameValue(SchemaNode node)
    {
        var applied = node.Object?.DependentSchemas.Select(pair => pair.Schema) ?? [];
        if (node.SameValue is not { } rules)
            return applied;
        var single = new[] { rules.Ref, rules.Not, rules.If, rules.Then, rules.Else }.OfType<SchemaNode>();
        return applied.Concat(single).Concat(rules.AllOf).Concat(rules.AnyOf).Concat(rules.OneOf);
    }
}
