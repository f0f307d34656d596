using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using Kintsugi.Configuration.Reading;

namespace Kintsugi.Configuration.Shapes;

/// <summary>What a value of the configuration may be. One shape both reads the value and describes it to editors,
/// so the two cannot disagree.</summary>
internal abstract class Shape
{
    /// <summary>Its JSON Schema.</summary>
    public abstract JsonObject Schema();

    /// <summary>Whether a bare word from an environment variable is the value itself rather than YAML to be parsed.</summary>
    public abstract bool IsWord(string text);
}

internal abstract class Shape<T> : Shape
{
    /// <returns>False when it is wrong; then at least one mistake was noted.</returns>
    public abstract bool TryRead(Node node, string key, ReadingContext reading, [MaybeNullWhen(false)] out T value);
}
