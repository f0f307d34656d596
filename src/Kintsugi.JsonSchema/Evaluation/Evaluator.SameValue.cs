using System.Globalization;

namespace Kintsugi.JsonSchema;

/// <summary>References, combinations and conditions over one value.</summary>
internal sealed partial class Evaluator
{
    private bool SameValue(SchemaNode node, SameValueRules rules, int at, Marks? marks)
    {
        var ok = (rules.Ref is null || Apply(rules.Ref, at, marks))
            & (rules.DynamicRef is null || Apply(Target(rules.DynamicRef), at, marks));
        if (!ok && Enough)
            return false;
        for (var i = 0; i < rules.AllOf.Count; i++)
        {
            ok &= Apply(rules.AllOf[i], at, marks);
            if (!ok && Enough)
                return false;
        }

        if (rules.AnyOf.Count > 0)
            ok &= AnyOf(node, rules.AnyOf, at, marks);
        if (rules.OneOf.Count > 0 && (ok || !Enough))
            ok &= OneOf(node, rules.OneOf, at, marks);
        if (rules.Not is { } not && (ok || !Enough) && Quietly(not, at, null))
            ok = Fail(node, "not", at, "expected a value that the schema in \"not\" refuses");
        if (rules.If is null || (!ok && Enough))
            return ok;
        var branch = Quietly(rules.If, at, marks) ? rules.Then : rules.Else;
        return ok & (branch is null || Apply(branch, at, marks));
    }

    private bool AnyOf(SchemaNode node, IReadOnlyList<SchemaNode> choices, int at, Marks? marks)
    {
        var any = false;
        for (var i = 0; i < choices.Count && (!any || marks is not null); i++)
            any |= Quietly(choices[i], at, marks);
        return any || Fail(node, "anyOf", at, Choice(choices, at, "at least one", 0));
    }

    private bool OneOf(SchemaNode node, IReadOnlyList<SchemaNode> choices, int at, Marks? marks)
    {
        var matches = 0;
        for (var i = 0; i < choices.Count && matches < 2; i++)
            matches += Quietly(choices[i], at, marks) ? 1 : 0;
        return matches == 1 || Fail(node, "oneOf", at, Choice(choices, at, "exactly one", matches));
    }

    /// <summary>Says of each alternative what stands against it, once each.</summary>
    private string Choice(IReadOnlyList<SchemaNode> choices, int at, string wanted, int matches)
    {
        if (_report is not { } report)
            return "";
        if (matches > 1)
            return $"expected {wanted} of the alternatives to hold, but several do";
        var reasons = new List<string>();
        foreach (var choice in choices.Take(5))
        {
            _report = new Report(1);
            Holds(choice, at, null);
            reasons.AddRange(_report.Violations.Select(violation =>
                $"{violation.InstancePointer} {violation.Message}".TrimStart()));
        }

        _report = report;
        return $"expected {wanted} of {choices.Count.ToString(CultureInfo.InvariantCulture)} alternatives to hold, but none does "
            + $"({string.Join("; ", reasons.Distinct())})";
    }

    /// <summary>The outermost resource that takes the anchor over wins (core 8.2.3.2).</summary>
    private SchemaNode Target(DynamicReference reference)
    {
        if (reference.Anchor is null)
            return reference.Target;
        foreach (var resource in _scope)
        {
            if (resource.DynamicAnchors.TryGetValue(reference.Anchor, out var site) && site.Node is { } node)
                return node;
        }

        return reference.Target;
    }
}
