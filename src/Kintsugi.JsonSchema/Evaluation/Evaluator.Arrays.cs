using System.Globalization;

namespace Kintsugi.JsonSchema;

/// <summary>Rules about the items of arrays.</summary>
internal sealed partial class Evaluator
{
    private bool Array(SchemaNode node, ArrayRules rules, int at, Marks? marks)
    {
        var ok = true;
        var count = _tape[at].Length;
        if (count < rules.MinItems)
            ok = Fail(node, "minItems", at, Expected(rules.MinItems, "at least", "items", count));
        if (count > rules.MaxItems)
            ok = Fail(node, "maxItems", at, Expected(rules.MaxItems, "at most", "items", count));
        if (!ok && Enough)
            return false;
        if (rules.UniqueItems && TapeEquality.Twins(_tape, at) is var (first, second))
            ok = Fail(node, "uniqueItems", at,
                _report is null ? "" : $"expected no two equal items, but {first} and {second} are");
        if (!ok && Enough)
            return false;
        ok &= Items(rules, at, marks);
        if (!ok && Enough)
            return false;
        return ok & (rules.Contains is null || Contains(node, rules, rules.Contains, at, marks));
    }

    private bool Items(ArrayRules rules, int at, Marks? marks)
    {
        var ok = true;
        var position = 0;
        for (var item = at + 1; item < _tape[at].Next; item = _tape[item].Next, position++)
        {
            var schema = position < rules.PrefixItems.Count ? rules.PrefixItems[position] : rules.Items;
            if (schema is null)
                break;
            marks?.Set(position);
            ok &= Holds(schema, item, null);
            if (!ok && Enough)
                return false;
        }

        return ok;
    }

    private bool Contains(SchemaNode node, ArrayRules rules, SchemaNode wanted, int at, Marks? marks)
    {
        var (matches, position) = (0, 0);
        for (var item = at + 1; item < _tape[at].Next; item = _tape[item].Next, position++)
        {
            if (!Quietly(wanted, item, null))
                continue;
            matches++;
            marks?.Set(position);
        }

        if (matches < rules.MinContains)
            return Fail(node, rules.MinContains == 1 ? "contains" : "minContains", at,
                Matching(rules.MinContains, "at least", matches));
        return matches <= rules.MaxContains || Fail(node, "maxContains", at, Matching(rules.MaxContains, "at most", matches));
    }

    private string Matching(long limit, string bound, int actual) => _report is null
        ? ""
        : string.Create(CultureInfo.InvariantCulture, $"expected {bound} {limit} items that match \"contains\", not {actual}");

    /// <summary>What no keyword evaluated must hold against these two (core 11.2, 11.3).</summary>
    private bool Unevaluated(SchemaNode node, int at, Marks marks)
    {
        var inObject = _tape[at].Kind == JsonKind.Object;
        var schema = inObject ? node.UnevaluatedProperties : node.UnevaluatedItems;
        if (schema is null || !(inObject || _tape[at].Kind == JsonKind.Array))
            return true;
        var ok = true;
        var position = 0;
        for (var child = at + 1; child < _tape[at].Next; position++)
        {
            var value = inObject ? child + 1 : child;
            if (_tape[child].Kind != JsonKind.Shadowed && !marks.Has(position))
            {
                ok &= Holds(schema, value, null);
                marks.Set(position);
                if (!ok && Enough)
                    return false;
            }

            child = _tape[value].Next;
        }

        return ok;
    }
}
