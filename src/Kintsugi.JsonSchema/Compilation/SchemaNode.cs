namespace Kintsugi.JsonSchema;

/// <summary>One compiled schema. A part is null when the schema has no keyword of that kind.</summary>
internal sealed class SchemaNode(string pointer, SchemaResource resource)
{
    /// <summary>Where it is written, for messages.</summary>
    public string Pointer { get; } = pointer;

    public SchemaResource Resource { get; } = resource;

    /// <summary>For the schemas <c>true</c> and <c>false</c>.</summary>
    public bool? Fixed { get; set; }

    public Types Types { get; set; } = Types.Any;

    public Tape? Const { get; set; }

    public IReadOnlyList<Tape>? Enum { get; set; }

    public NumberRules? Number { get; set; }

    public TextRules? Text { get; set; }

    public ArrayRules? Array { get; set; }

    public ObjectRules? Object { get; set; }

    public SameValueRules? SameValue { get; set; }

    public SchemaNode? UnevaluatedItems { get; set; }

    public SchemaNode? UnevaluatedProperties { get; set; }

    public bool Unevaluated => UnevaluatedItems is not null || UnevaluatedProperties is not null;
}

internal sealed class NumberRules
{
    public ExactNumber? Minimum { get; set; }

    public ExactNumber? ExclusiveMinimum { get; set; }

    public ExactNumber? Maximum { get; set; }

    public ExactNumber? ExclusiveMaximum { get; set; }

    public ExactNumber? MultipleOf { get; set; }
}

internal sealed class TextRules
{
    /// <summary>In code points (validation 6.3), not bytes or UTF-16 units.</summary>
    public long MinLength { get; set; }

    public long MaxLength { get; set; } = long.MaxValue;

    public Pattern? Pattern { get; set; }

    /// <summary>Set only where formats are asserted.</summary>
    public Format? Format { get; set; }
}

internal sealed class ArrayRules
{
    public long MinItems { get; set; }

    public long MaxItems { get; set; } = long.MaxValue;

    public bool UniqueItems { get; set; }

    public IReadOnlyList<SchemaNode> PrefixItems { get; set; } = [];

    public SchemaNode? Items { get; set; }

    public SchemaNode? Contains { get; set; }

    public long MinContains { get; set; } = 1;

    public long MaxContains { get; set; } = long.MaxValue;
}

internal sealed class ObjectRules
{
    public long MinProperties { get; set; }

    public long MaxProperties { get; set; } = long.MaxValue;

    /// <summary>Every name that a keyword mentions; the arrays below follow its order.</summary>
    public NameTable Names { get; set; } = NameTable.Empty;

    /// <summary>The schema of each name, or null where it is only required.</summary>
    public SchemaNode?[] Properties { get; set; } = [];

    /// <summary>Positions in <see cref="Names"/>.</summary>
    public int[] Required { get; set; } = [];

    public IReadOnlyList<(int Trigger, int[] Needs)> DependentRequired { get; set; } = [];

    public IReadOnlyList<(int Trigger, SchemaNode Schema)> DependentSchemas { get; set; } = [];

    public IReadOnlyList<(Pattern Pattern, SchemaNode Schema)> PatternProperties { get; set; } = [];

    public SchemaNode? AdditionalProperties { get; set; }

    public SchemaNode? PropertyNames { get; set; }
}

/// <summary>Schemas that apply to the same value (core 10.2) and references.</summary>
internal sealed class SameValueRules
{
    public SchemaNode? Ref { get; set; }

    public DynamicReference? DynamicRef { get; set; }

    public IReadOnlyList<SchemaNode> AllOf { get; set; } = [];

    public IReadOnlyList<SchemaNode> AnyOf { get; set; } = [];

    public IReadOnlyList<SchemaNode> OneOf { get; set; } = [];

    public SchemaNode? Not { get; set; }

    public SchemaNode? If { get; set; }

    public SchemaNode? Then { get; set; }

    public SchemaNode? Else { get; set; }
}

/// <param name="Target">What it means where no outer resource takes it over.</param>
/// <param name="Anchor">The anchor that outer resources may take over, or null: then it is a plain reference.</param>
internal sealed record DynamicReference(SchemaNode Target, string? Anchor);
