namespace Kintsugi.JsonSchema;

/// <summary>A mistake in a schema.</summary>
/// <param name="Location">Where, as a JSON pointer; in another document than the given one, its URI comes first.</param>
/// <param name="Message">What is wrong there, and what would be right.</param>
public sealed record SchemaError(string Location, string Message);

/// <summary>What compiling gave: a schema, or all of its mistakes at once.</summary>
/// <param name="Schema">Null when there are errors.</param>
public sealed record SchemaCompilation(CompiledSchema? Schema, IReadOnlyList<SchemaError> Errors);
