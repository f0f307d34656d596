namespace Kintsugi.JsonSchema;

/// <summary>
/// Translates a schema over one jsonb value into SQL. Every step that could raise an error (a cast, unnesting) stands inside
/// CASE behind the test of the type, where PostgreSQL evaluates it only then (manual 4.2.14).
/// </summary>
internal sealed partial class SuspectBuilder
{
    /// <summary>References are written out, so a small schema can grow without end; beyond this everything is suspect.</summary>
    private const int MaxSchemas = 400;

    private static readonly (string Name, Types Type)[] _kinds =
    [
        ("object", Types.Object), ("array", Types.Array), ("string", Types.Text), ("number", Types.Number),
        ("boolean", Types.Boolean), ("null", Types.Null),
    ];

    private readonly HashSet<SchemaNode> _open = [];
    private int _schemas;
    private int _aliases;

    /// <summary>True when lengths or patterns are in it: they count characters, which only UTF8 has.</summary>
    public bool NeedsUtf8 { get; private set; }

    /// <param name="node">A schema.</param>
    /// <param name="value">SQL of a jsonb value that is not NULL.</param>
    public Suspect Of(SchemaNode node, string value)
    {
        if (node.Fixed is { } holds)
            return holds ? Suspect.Never : Suspect.Always;
        if (_schemas++ > MaxSchemas || !_open.Add(node))
            return Suspect.Unknown;
        var suspect = Suspect.Any([ByKind(node, value), .. Literals(node, value), .. SameValue(node, value)]);
        _open.Remove(node);
        return suspect;
    }

    /// <summary>One CASE over the type of the value.</summary>
    private Suspect ByKind(SchemaNode node, string value)
    {
        var branches = _kinds.Select(kind => (kind.Name, Suspect: OfKind(node, kind.Type, value))).ToList();
        var exact = branches.TrueForAll(branch => branch.Suspect.IsExact);
        var open = branches.Where(branch => branch.Suspect.Sql is not (Suspect.True or Suspect.False)).ToList();
        var always = branches.Where(branch => branch.Suspect.Sql == Suspect.True).Select(branch => branch.Name).ToList();
        var never = branches.Where(branch => branch.Suspect.Sql == Suspect.False).Select(branch => branch.Name).ToList();
        if (open.Count == 0 && (always.Count == 0 || never.Count == 0))
            return new Suspect(never.Count == 0 ? Suspect.True : Suspect.False, exact);
        var type = SqlText.TypeOf(value);
        var rest = always.Count == 0 ? Suspect.False
            : never.Count == 0 ? Suspect.True
            : never.Count == 1 ? SqlText.Infix(type, "<>", Quoted(never[0]))
            : $"(NOT ({SqlText.Infix(type, "=", $"ANY ({SqlText.Texts(never)})")}))";
        if (open.Count == 0)
            return new Suspect(rest, exact);
        var cases = open.Select(branch => $"WHEN {SqlText.Infix(type, "=", Quoted(branch.Name))} THEN {branch.Suspect.Sql}");
        return new Suspect($"(CASE {string.Join(' ', cases)} ELSE {rest} END)", exact);

        static string Quoted(string name) => SqlText.Text(name);
    }

    private Suspect OfKind(SchemaNode node, Types kind, string value)
    {
        if ((node.Types & kind) == 0)
            return Suspect.Always;
        return kind switch
        {
            Types.Number => Suspect.Any(Numbers(node, value)),
            Types.Text => node.Text is { } text ? Suspect.Any(Texts(text, value)) : Suspect.Never,
            Types.Array => Suspect.Any(Arrays(node, value)),
            Types.Object => Suspect.Any(Objects(node, value)),
            _ => Suspect.Never,
        };
    }

    private static IEnumerable<Suspect> Literals(SchemaNode node, string value)
    {
        if (node.Const is { } only)
            yield return Differs(only, value);
        if (node.Enum is { } choices)
            yield return Suspect.All(choices.Select(choice => Differs(choice, value)).Append(Suspect.Always));
    }

    private static Suspect Differs(Tape literal, string value) => SqlText.Json(literal, out var never) is { } json
        ? Suspect.Exactly(SqlText.Infix(value, "<>", json))
        : never ? Suspect.Always : Suspect.Unknown;

    private IEnumerable<Suspect> SameValue(SchemaNode node, string value)
    {
        if (node.SameValue is not { } rules)
            yield break;
        if (rules.Ref is { } target)
            yield return Of(target, value);
        if (rules.DynamicRef is { } dynamic)
            yield return dynamic.Anchor is null ? Of(dynamic.Target, value) : Suspect.Unknown;
        foreach (var schema in rules.AllOf)
            yield return Of(schema, value);
        if (rules.AnyOf.Count > 0)
            yield return Suspect.All(rules.AnyOf.Select(schema => Of(schema, value)).ToList());
        if (rules.OneOf.Count > 0)
            yield return NotOne(rules.OneOf.Select(schema => Of(schema, value)).ToList());
        if (rules.Not is { } not)
            yield return Of(not, value).Not();
        if (rules.If is { } condition)
            yield return Conditional(Of(condition, value), Branch(rules.Then, value), Branch(rules.Else, value));
    }

    private Suspect Branch(SchemaNode? branch, string value) => branch is null ? Suspect.Never : Of(branch, value);

    private static Suspect NotOne(List<Suspect> parts)
    {
        if (!parts.TrueForAll(part => part.IsExact))
            return Suspect.Unknown;
        var matches = parts.Select(part => $"(CASE WHEN {part.Sql} THEN 0 ELSE 1 END)")
            .Aggregate((sum, next) => SqlText.Infix(sum, "+", next));
        return Suspect.Exactly(SqlText.Infix(matches, "<>", "1"));
    }

    private static Suspect Conditional(Suspect refused, Suspect then, Suspect otherwise) => refused.IsExact
        ? Suspect.Any([Suspect.All([refused.Not(), then]), Suspect.All([refused, otherwise])])
        : Suspect.Any([then with { IsExact = false }, otherwise with { IsExact = false }]);

    private string Alias() => $"kintsugi_{++_aliases}";
}
