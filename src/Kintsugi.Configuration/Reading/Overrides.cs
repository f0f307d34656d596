using Kintsugi.Configuration.Shapes;

namespace Kintsugi.Configuration.Reading;

/// <summary>Puts values from outside (environment variables, settings of a host application) into the tree before it is read,
/// so that they are judged exactly as if they stood in the file.</summary>
internal sealed class Overrides(ReadingContext reading)
{
    public const string Prefix = "KINTSUGI__";

    /// <summary>The variables that begin with <see cref="Prefix"/>, each with the path it names.</summary>
    public static IEnumerable<Override> FromEnvironment(IReadOnlyDictionary<string, string> variables) => variables
        .Where(variable => variable.Key.StartsWith(Prefix, StringComparison.Ordinal))
        .OrderBy(variable => variable.Key, StringComparer.Ordinal)
        .Select(variable => new Override(
            variable.Key, variable.Key[Prefix.Length..].Split("__"), variable.Value, new(variable.Key, 0, 0)));

    /// <summary>Settings of a host application, as "Database:AutoHealing:HealthCheckInterval".</summary>
    public static IEnumerable<Override> FromSettings(IEnumerable<KeyValuePair<string, string?>> settings) => settings
        .Where(setting => setting.Value is not null)
        .OrderBy(setting => setting.Key, StringComparer.Ordinal)
        .Select(setting => new Override(setting.Key, setting.Key.Split(':'), setting.Value!, new(setting.Key, 0, 0)));

    public Node Apply(Node root, Shape shape, IEnumerable<Override> overrides) =>
        overrides.Aggregate(root, (node, one) => Put(node, shape, one, 0) ?? node);

    /// <returns>The node as it is now, or null when nothing could be put there (a mistake was noted).</returns>
    private Node? Put(Node? current, Shape shape, Override one, int depth)
    {
        if (depth == one.Path.Count)
        {
            return shape.IsWord(one.Value)
                ? new TextNode(one.Place, one.Value, plain: true)
                : YamlText.ParseValue(one.Value, one.Place, reading);
        }

        switch (shape)
        {
            case IMapping mapping:
                return PutKey(current as MapNode ?? new MapNode(one.Place), mapping, one, depth);
            case IListing listing:
                return PutItem(current as ListNode ?? new ListNode(one.Place), listing, one, depth);
            default:
                reading.Mistake(one.Place, "", $"nothing can be set below {string.Join('.', one.Path.Take(depth))}; give its whole value");
                return null;
        }
    }

    private MapNode PutKey(MapNode map, IMapping mapping, Override one, int depth)
    {
        var given = one.Path[depth];
        var key = mapping.Keys.FirstOrDefault(key => Plain(key.Name) == Plain(given));
        if (key is null)
        {
            var known = mapping.Keys.Select(key => one.Written(key.Name));
            reading.Mistake(one.Place, "", $"{given} is not a key" + Suggestion.For(given, known));
            return map;
        }

        if (Put(map.Find(key.Name)?.Value, key.Shape, one, depth + 1) is { } value)
        {
            map.Set(key.Name, one.Place, value);
        }

        return map;
    }

    private ListNode PutItem(ListNode list, IListing listing, Override one, int depth)
    {
        if (!int.TryParse(one.Path[depth], out var at) || at < 0 || at > list.Items.Count)
        {
            reading.Mistake(one.Place, "", $"{one.Path[depth]} is not the number of an item; they count from 0, the next is {list.Items.Count}");
            return list;
        }

        var item = Put(at < list.Items.Count ? list.Items[at] : null, listing.Item, one, depth + 1);
        if (item is null)
        {
            return list;
        }

        if (at < list.Items.Count)
        {
            list.Items[at] = item;
        }
        else
        {
            list.Items.Add(item);
        }

        return list;
    }

    /// <summary>Case, "_" and "-" do not tell keys apart: AUTO_HEALING, AutoHealing, auto_healing are one.</summary>
    private static string Plain(string key) => key.Replace("_", "", StringComparison.Ordinal)
        .Replace("-", "", StringComparison.Ordinal).ToUpperInvariant();
}

/// <param name="Name">As the person wrote it.</param>
internal sealed record Override(string Name, IReadOnlyList<string> Path, string Value, Place Place)
{
    /// <summary>A key in the style of this place, for suggestions.</summary>
    public string Written(string key) => Name.StartsWith(Overrides.Prefix, StringComparison.Ordinal)
        ? key.Replace('-', '_').ToUpperInvariant()
        : key;
}
