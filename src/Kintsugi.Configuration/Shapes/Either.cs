using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using Kintsugi.Configuration.Reading;

namespace Kintsugi.Configuration.Shapes;

/// <summary>A mapping that overrides can descend into.</summary>
internal interface IMapping
{
    IReadOnlyList<Key> Keys { get; }
}

/// <summary>A list that overrides can descend into.</summary>
internal interface IListing
{
    Shape Item { get; }
}

/// <summary>A single value, or a mapping that says the same at more length.</summary>
internal sealed class Either<T>(Shape<T> word, Mapping<T> mapping) : Shape<T>, IMapping
{
    public IReadOnlyList<Key> Keys => mapping.Keys;

    public override bool IsWord(string text) => !text.TrimStart().StartsWith('{');

    public override JsonObject Schema() => new() { ["anyOf"] = new JsonArray(word.Schema(), mapping.Schema()) };

    public override bool TryRead(Node node, string key, ReadingContext reading, [MaybeNullWhen(false)] out T value) =>
        node is MapNode ? mapping.TryRead(node, key, reading, out value) : word.TryRead(node, key, reading, out value);
}
