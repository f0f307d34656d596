using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using Kintsugi.Configuration.Reading;

namespace Kintsugi.Configuration.Shapes;

/// <param name="item">What each item is.</param>
/// <param name="identity">What may not occur twice, and what to call it; null when anything may.</param>
internal sealed class Listing<T>(Shape<T> item, string? called = null, Func<T, string>? identity = null)
    : Shape<IReadOnlyList<T>>, IListing
{
    public Shape Item => item;

    public override bool IsWord(string text) => false;

    public override JsonObject Schema() => new() { ["type"] = new JsonArray("array", "null"), ["items"] = item.Schema() };

    public override bool TryRead(
        Node node, string key, ReadingContext reading, [MaybeNullWhen(false)] out IReadOnlyList<T> value)
    {
        value = null;
        if (node is not ListNode && node is not TextNode { IsNull: true })
        {
            reading.Mistake(node.Place, key, $"expected a list, found {node.Kind}; write [one, two] or a line \"- one\" for each");
            return false;
        }

        var items = node is ListNode list ? list.Items : [];
        var read = new List<T>();
        var seen = new Dictionary<string, Place>(StringComparer.Ordinal);
        var sound = true;
        for (var i = 0; i < items.Count; i++)
        {
            var path = $"{key}[{i}]";
            if (!item.TryRead(items[i], path, reading, out var one))
            {
                sound = false;
                continue;
            }

            if (identity is not null && !seen.TryAdd(identity(one), items[i].Place))
            {
                reading.Mistake(items[i].Place, path,
                    $"the {called} {identity(one)} was already given at {seen[identity(one)]}; each may occur once");
                sound = false;
            }

            read.Add(one);
        }

        value = read;
        return sound;
    }
}
