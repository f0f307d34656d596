using System.Text.Json.Nodes;
using Kintsugi.Configuration.Reading;

namespace Kintsugi.Configuration.Shapes;

/// <summary>The same value where nothing said must be told from any value.</summary>
internal sealed class Lifted<T>(Shape<T> shape) : Shape<T?>
    where T : struct
{
    public override JsonObject Schema() => shape.Schema();

    public override bool IsWord(string text) => shape.IsWord(text);

    public override bool TryRead(Node node, string key, ReadingContext reading, out T? value)
    {
        var read = shape.TryRead(node, key, reading, out var some);
        value = some;
        return read;
    }
}
