namespace Kintsugi.JsonSchema;

/// <summary>ECMA-262 would refuse the expression, or it cannot be kept here; stays inside <see cref="Pattern"/>.</summary>
internal sealed class PatternException(string message) : Exception(message);
