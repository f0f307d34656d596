namespace Kintsugi.JsonSchema;

/// <summary>Rules about the members of objects.</summary>
internal sealed partial class Evaluator
{
    /// <summary>Names beyond so many get their bits on the heap.</summary>
    private const int StackWords = 8;

    private bool Object(SchemaNode node, ObjectRules rules, int at, Marks? marks)
    {
        var ok = true;
        var count = _tape[at].Length;
        if (count < rules.MinProperties)
            ok = Fail(node, "minProperties", at, Expected(rules.MinProperties, "at least", "properties", count));
        if (count > rules.MaxProperties)
            ok = Fail(node, "maxProperties", at, Expected(rules.MaxProperties, "at most", "properties", count));
        if (!ok && Enough)
            return false;
        var words = (rules.Names.Count + 63) / 64;
        var seen = words <= StackWords ? stackalloc ulong[words] : new ulong[words];
        var end = _tape[at].Next;
        var position = 0;
        for (var name = at + 1; name < end; name = _tape[name + 1].Next, position++)
        {
            if (_tape[name].Kind == JsonKind.Shadowed)
                continue;
            ok &= Property(rules, name, position, marks, seen);
            if (!ok && Enough)
                return false;
        }

        ok = Required(node, rules, at, seen, ok);
        return (ok || !Enough) && Dependent(rules, at, seen, marks) && ok;
    }

    private bool Property(ObjectRules rules, int name, int position, Marks? marks, Span<ulong> seen)
    {
        var (ok, evaluated) = (true, false);
        var known = rules.Names.Find(_tape.Bytes(name));
        if (known >= 0)
        {
            seen[known >> 6] |= 1UL << (known & 63);
            if (rules.Properties[known] is { } schema)
            {
                evaluated = true;
                ok = Holds(schema, name + 1, null);
            }
        }

        for (var i = 0; i < rules.PatternProperties.Count; i++)
        {
            var (pattern, schema) = rules.PatternProperties[i];
            if (!pattern.IsMatch(_tape.Bytes(name)))
                continue;
            evaluated = true;
            ok &= Holds(schema, name + 1, null);
        }

        if (!evaluated && rules.AdditionalProperties is { } additional)
        {
            evaluated = true;
            ok &= Holds(additional, name + 1, null);
        }

        if (evaluated)
            marks?.Set(position);
        return ok & (rules.PropertyNames is null || Name(rules.PropertyNames, name));
    }

    /// <summary>A name is judged as the text it is.</summary>
    private bool Name(SchemaNode schema, int name)
    {
        _tape.Retag(name, JsonKind.Text);
        var ok = Holds(schema, name, null);
        _tape.Retag(name, JsonKind.Name);
        return ok;
    }

    private bool Required(SchemaNode node, ObjectRules rules, int at, ReadOnlySpan<ulong> seen, bool ok)
    {
        foreach (var needed in rules.Required)
        {
            if (Has(seen, needed))
                continue;
            ok = Missing(node, "required", at, rules.Names.Text(needed), "is required");
            if (Enough)
                return false;
        }

        foreach (var (trigger, needs) in rules.DependentRequired)
        {
            if (!Has(seen, trigger))
                continue;
            foreach (var needed in needs)
            {
                if (Has(seen, needed))
                    continue;
                ok = Missing(node, "dependentRequired", at, rules.Names.Text(needed),
                    $"is required beside \"{rules.Names.Text(trigger)}\"");
                if (Enough)
                    return false;
            }
        }

        return ok;
    }

    private bool Missing(SchemaNode node, string keyword, int at, string name, string why)
    {
        _report?.Add(_tape, at, node, keyword, $"the property \"{name}\" {why} and is missing");
        return false;
    }

    private bool Dependent(ObjectRules rules, int at, ReadOnlySpan<ulong> seen, Marks? marks)
    {
        var ok = true;
        foreach (var (trigger, schema) in rules.DependentSchemas)
        {
            if (!Has(seen, trigger))
                continue;
            ok &= Apply(schema, at, marks);
            if (!ok && Enough)
                return false;
        }

        return ok;
    }

    private static bool Has(ReadOnlySpan<ulong> seen, int name) => (seen[name >> 6] & (1UL << (name & 63))) != 0;
}
