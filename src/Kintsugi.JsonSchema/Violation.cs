namespace Kintsugi.JsonSchema;

/// <summary>One rule that one value of a document breaks.</summary>
/// <param name="InstancePointer">The value, as a JSON pointer into the document.</param>
/// <param name="KeywordPointer">The rule, as a JSON pointer into the schema (its URI first when it is another document).</param>
/// <param name="Message">Expected and actual.</param>
public sealed record Violation(string InstancePointer, string KeywordPointer, string Message);

/// <summary>Three answers, not two: a document that could not be judged is not a good one.</summary>
public enum Conformance
{
    Conforms,
    Violates,

    /// <summary>No JSON, nested too deeply, or a pattern ran out of time.</summary>
    Undecided,
}

/// <summary>What examining one document gave.</summary>
/// <param name="Violations">At most as many as were asked for; empty unless it violates.</param>
/// <param name="Reason">Why it is undecided, else null.</param>
public sealed record Examination(Conformance Conformance, IReadOnlyList<Violation> Violations, string? Reason);

/// <summary>A document could not be judged; the message says why.</summary>
public sealed class UndecidedException : Exception
{
    public UndecidedException(string message) : base(message)
    {
    }

    public UndecidedException(string message, Exception inner) : base(message, inner)
    {
    }
}
