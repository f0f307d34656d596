using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Kintsugi.Configuration.Reading;

/// <summary>Turns YAML text into nodes that keep their places. Only events of the parser are used: nothing is bound by
/// reflection, and keys given twice are found wherever they are.</summary>
internal sealed class YamlText
{
    private const int MaxDepth = 64;
    private readonly Dictionary<string, Node> _anchors = new(StringComparer.Ordinal);
    private readonly Func<Mark, Place> _placeOf;
    private readonly ReadingContext _reading;
    private readonly Parser _parser;
    private int _depth;

    private YamlText(string text, Func<Mark, Place> placeOf, ReadingContext reading)
    {
        _parser = new(new StringReader(text));
        _placeOf = placeOf;
        _reading = reading;
    }

    /// <returns>The only document, or null when the text is empty or cannot be parsed (then a mistake was noted).</returns>
    public static Node? Parse(string text, string source, ReadingContext reading) =>
        Parse(text, mark => new(source, (int)mark.Line, (int)mark.Column), reading);

    /// <summary>As above, for a value that came from elsewhere: every node is at that one place.</summary>
    public static Node? ParseValue(string text, Place place, ReadingContext reading) => Parse(text, _ => place, reading);

    private static Node? Parse(string text, Func<Mark, Place> placeOf, ReadingContext reading)
    {
        var yaml = new YamlText(text, placeOf, reading);
        try
        {
            return yaml.Document();
        }
        catch (InvalidOperationException)
        {
            // The scanner's own slip on some malformed text (a "%" after "{", for one); it tells no place, so the last sound one is told.
            reading.Mistake(placeOf(yaml._parser.Current?.End ?? Mark.Empty), "", "this is not YAML from here on");
            return null;
        }
        catch (YamlException wrong)
        {
            reading.Mistake(placeOf(wrong.Start), "", $"this is not YAML: {wrong.Message}");
            return null;
        }
    }

    private Node? Document()
    {
        _parser.Consume<StreamStart>();
        if (_parser.Accept<StreamEnd>(out _))
        {
            return null;
        }

        _parser.Consume<DocumentStart>();
        var root = Read();
        _parser.Consume<DocumentEnd>();
        if (_parser.Accept<DocumentStart>(out var second))
        {
            _reading.Mistake(_placeOf(second.Start), "", "a second document begins here; one file holds one document");
        }

        return root;
    }

    private Node Read()
    {
        if (++_depth > MaxDepth)
        {
            throw new YamlException(_parser.Current!.Start, _parser.Current.End, $"nested deeper than {MaxDepth} levels");
        }

        var node = _parser.Current switch
        {
            Scalar => ReadScalar(),
            SequenceStart => ReadList(),
            MappingStart => ReadMap(),
            _ => ReadAlias(),
        };
        _depth--;
        return node;
    }

    private TextNode ReadScalar()
    {
        var scalar = _parser.Consume<Scalar>();
        return Keep(scalar.Anchor, new TextNode(
            _placeOf(scalar.Start), scalar.Value, scalar.Style == ScalarStyle.Plain && scalar.Tag.IsEmpty));
    }

    private ListNode ReadList()
    {
        var start = _parser.Consume<SequenceStart>();
        var list = new ListNode(_placeOf(start.Start));
        while (!_parser.TryConsume<SequenceEnd>(out _))
        {
            list.Items.Add(Read());
        }

        return Keep(start.Anchor, list);
    }

    private MapNode ReadMap()
    {
        var start = _parser.Consume<MappingStart>();
        var map = new MapNode(_placeOf(start.Start));
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var key = Read();
            var value = Read();
            if (key is not TextNode { Text: var name })
            {
                _reading.Mistake(key.Place, "", "a key must be a single word");
            }
            else if (map.Find(name) is { } first)
            {
                _reading.Mistake(key.Place, name, $"this key was already given at {first.Place}; keep one of them");
            }
            else
            {
                map.Entries.Add(new(name, key.Place, value));
            }
        }

        return Keep(start.Anchor, map);
    }

    private Node ReadAlias()
    {
        var alias = _parser.Consume<AnchorAlias>();
        return _anchors.TryGetValue(alias.Value.Value, out var node)
            ? node
            : throw new YamlException(alias.Start, alias.End, $"the anchor *{alias.Value.Value} is not defined above");
    }

    private T Keep<T>(AnchorName anchor, T node)
        where T : Node
    {
        if (!anchor.IsEmpty)
        {
            _anchors[anchor.Value] = node;
        }

        return node;
    }
}
