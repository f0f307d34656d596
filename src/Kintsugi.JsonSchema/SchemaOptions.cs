using System.Collections.Frozen;
using System.Text.Json;

namespace Kintsugi.JsonSchema;

/// <summary>What to do with a keyword of a schema that asserts nothing because nobody knows it.</summary>
public enum UnknownKeywords
{
    /// <summary>An error at compile time with a suggestion: a misspelled rule must not pass in silence.</summary>
    Reject,

    /// <summary>An annotation, as the specification allows (JSON Schema core 6.5).</summary>
    Ignore,
}

/// <summary>How a schema is compiled and how far an evaluation may go.</summary>
public sealed record SchemaOptions
{
    public static SchemaOptions Default { get; } = new();

    public UnknownKeywords UnknownKeywords { get; init; } = UnknownKeywords.Reject;

    /// <summary>True: <c>format</c> is a rule. False: it is a remark (validation vocabulary 7.2).</summary>
    public bool AssertFormat { get; init; }

    /// <summary>Other schemas that references may reach, by absolute URI. Nothing is ever fetched.</summary>
    public IReadOnlyDictionary<string, JsonElement> Documents { get; init; } = FrozenDictionary<string, JsonElement>.Empty;

    /// <summary>URI that relative references of a schema without <c>$id</c> start from.</summary>
    public string BaseUri { get; init; } = "schema:///root";

    /// <summary>Deepest nesting of a document that is examined; deeper ones are undecided.</summary>
    public int MaxDepth { get; init; } = 2_000;

    /// <summary>Longest time one text may take against a <c>pattern</c> that backtracks; then it is undecided.</summary>
    public TimeSpan PatternTimeout { get; init; } = TimeSpan.FromSeconds(1);
}
