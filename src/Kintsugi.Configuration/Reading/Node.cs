namespace Kintsugi.Configuration.Reading;

/// <summary>Where a piece of the configuration was written.</summary>
internal readonly record struct Place(string Source, int Line, int Column)
{
    public override string ToString() => Line == 0 ? Source : $"{Source}:{Line}:{Column}";
}

/// <summary>A piece of the configuration's text with its place, before anything is known of its meaning.</summary>
internal abstract class Node(Place place)
{
    public Place Place { get; } = place;

    /// <summary>What it is, for messages.</summary>
    public abstract string Kind { get; }
}

/// <param name="place">Where it begins.</param>
/// <param name="text">The value with quotes and escapes resolved.</param>
/// <param name="plain">Written without quotes, so that <c>true</c> is a flag and <c>5</c> a number.</param>
internal sealed class TextNode(Place place, string text, bool plain) : Node(place)
{
    public string Text { get; } = text;
    public bool Plain { get; } = plain;

    /// <summary>Nothing was written after the colon, or an explicit null.</summary>
    public bool IsNull => Plain && Text is "" or "~" or "null" or "Null" or "NULL";
    public override string Kind => IsNull ? "no value" : "a single value";
}

internal sealed record Entry(string Key, Place Place, Node Value);

internal sealed class MapNode(Place place) : Node(place)
{
    public List<Entry> Entries { get; } = [];
    public Entry? Find(string key) => Entries.Find(entry => entry.Key == key);
    public override string Kind => "a mapping";

    public void Set(string key, Place place, Node value)
    {
        Entries.RemoveAll(entry => entry.Key == key);
        Entries.Add(new(key, place, value));
    }
}

internal sealed class ListNode(Place place) : Node(place)
{
    public List<Node> Items { get; } = [];
    public override string Kind => "a list";
}
