using System.Runtime.InteropServices;
using System.Text.Json;

namespace Kintsugi.JsonSchema;

/// <summary>
/// A JSON Schema of draft 2020-12, ready to judge documents. Safe for many threads; a document that could not be
/// judged is never called good.
/// </summary>
public sealed class CompiledSchema
{
    private readonly SchemaNode _root;
    private readonly bool _dynamicScope;
    private readonly int _maxDepth;
    private Evaluator? _idle;

    private CompiledSchema(SchemaNode root, bool dynamicScope, int maxDepth) =>
        (_root, _dynamicScope, _maxDepth) = (root, dynamicScope, maxDepth);

    internal SchemaNode Root => _root;

    /// <summary>Compiles the text of a schema; every mistake in it is reported at once.</summary>
    public static SchemaCompilation Compile(string schema, SchemaOptions options)
    {
        try
        {
            using var document = JsonDocument.Parse(schema, new JsonDocumentOptions { MaxDepth = options.MaxDepth });
            return Compile(document.RootElement, options);
        }
        catch (JsonException wrong)
        {
            return new SchemaCompilation(null, [new SchemaError("", $"the schema is no JSON: {wrong.Message}")]);
        }
    }

    /// <summary>Compiles a schema; every mistake in it is reported at once.</summary>
    public static SchemaCompilation Compile(JsonElement schema, SchemaOptions options)
    {
        var errors = new List<SchemaError>();
        var loader = new SchemaLoader(options, errors);
        var builder = new SchemaBuilder(loader);
        var root = builder.Build(loader.LoadRoot(schema));
        if (errors.Count == 0)
            EndlessReferences.Report(builder.Nodes, errors);
        if (errors.Count > 0)
            return new SchemaCompilation(null,
                errors.Distinct().OrderBy(error => error.Location, StringComparer.Ordinal).ToList());
        var dynamicScope = builder.Nodes.Any(node => node.SameValue?.DynamicRef?.Anchor is not null);
        return new SchemaCompilation(new CompiledSchema(root, dynamicScope, options.MaxDepth), []);
    }

    /// <summary>Whether a JSON text in UTF-8 obeys the schema.</summary>
    /// <exception cref="UndecidedException">It could not be judged: no JSON, too deep, or a pattern ran out of time.</exception>
    public bool IsValid(ReadOnlySpan<byte> json)
    {
        var evaluator = Interlocked.Exchange(ref _idle, null) ?? new Evaluator(_dynamicScope);
        Load(evaluator, json);
        var valid = evaluator.Run(_root, null);
        _idle = evaluator;
        return valid;
    }

    /// <inheritdoc cref="IsValid(ReadOnlySpan{byte})"/>
    public bool IsValid(JsonElement json) => IsValid(JsonMarshal.GetRawUtf8Value(json));

    /// <summary>Judges a JSON text in UTF-8 and says what is wrong with it.</summary>
    /// <param name="json">One JSON value.</param>
    /// <param name="limit">At most so many violations are gathered; at least one.</param>
    public Examination Validate(ReadOnlySpan<byte> json, int limit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        try
        {
            var evaluator = new Evaluator(_dynamicScope);
            Load(evaluator, json);
            var report = new Report(limit);
            return evaluator.Run(_root, report)
                ? new Examination(Conformance.Conforms, [], null)
                : new Examination(Conformance.Violates, report.Violations, null);
        }
        catch (UndecidedException undecided)
        {
            return new Examination(Conformance.Undecided, [], undecided.Message);
        }
    }

    /// <inheritdoc cref="Validate(ReadOnlySpan{byte}, int)"/>
    public Examination Validate(JsonElement json, int limit) => Validate(JsonMarshal.GetRawUtf8Value(json), limit);

    private void Load(Evaluator evaluator, ReadOnlySpan<byte> json)
    {
        try
        {
            evaluator.Tape.Load(json, _maxDepth);
        }
        catch (JsonException wrong)
        {
            throw new UndecidedException($"the document cannot be read as JSON: {wrong.Message}", wrong);
        }
    }
}
