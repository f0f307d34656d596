using System.Globalization;
using System.Text;

namespace Kintsugi.JsonSchema;

/// <summary>Reads the small pieces of a regular expression of ECMA-262: escapes, classes, group openings, quantifiers.</summary>
internal sealed class PatternText(string source)
{
    private const char None = '\uFFFF';
    private int _at;

    public bool AtEnd => _at >= source.Length;

    public char Peek => AtEnd ? None : source[_at];

    public char PeekAfter => _at + 1 < source.Length ? source[_at + 1] : None;

    public char Take() => AtEnd ? throw new PatternException("it ends too early") : source[_at++];

    public int CodePoint()
    {
        if (Rune.TryGetRuneAt(source, _at, out var rune))
        {
            _at += rune.Utf16SequenceLength;
            return rune.Value;
        }

        throw new PatternException("it holds half a surrogate pair");
    }

    /// <summary>Takes <c>(</c> and what follows it when it is <c>?</c>; only what ECMA-262 knows.</summary>
    public string GroupOpening()
    {
        foreach (var opening in new[] { "(?:", "(?=", "(?!", "(?<=", "(?<!" })
        {
            if (string.CompareOrdinal(source, _at, opening, 0, opening.Length) != 0)
                continue;
            _at += opening.Length;
            return opening;
        }

        _at++;
        if (Peek != '?')
            return "(";
        _at++;
        if (Peek != '<')
            throw new PatternException($"ECMA-262 knows no group that begins with \"(?{Peek}\"");
        return $"(?<{Name()}>";
    }

    public int BackReference()
    {
        _at++;
        var start = _at;
        while (char.IsAsciiDigit(Peek))
            _at++;
        return int.TryParse(source.AsSpan(start, _at - start), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new PatternException("a back reference with too many digits");
    }

    public string NamedBackReference()
    {
        _at += 2;
        return $"\\k<{Name()}>";
    }

    public (int Least, int Most, string Text, bool Lazy)? Quantifier()
    {
        var start = _at;
        (int Least, int Most)? bounds = Peek switch
        {
            '*' => (0, int.MaxValue),
            '+' => (1, int.MaxValue),
            '?' => (0, 1),
            '{' => Braces(),
            _ => null,
        };
        if (bounds is null)
            return null;
        if (source[start] != '{')
            _at++;
        var text = source[start.._at];
        var lazy = Peek == '?';
        _at += lazy ? 1 : 0;
        if (Peek is '*' or '+' or '?')
            throw new PatternException($"nothing for '{Peek}' to repeat");
        return (bounds.Value.Least, bounds.Value.Most, text, lazy);
    }

    /// <summary>A class in brackets.</summary>
    public CodePoints Class()
    {
        _at++;
        var negated = Peek == '^';
        _at += negated ? 1 : 0;
        var set = new CodePoints();
        while (Peek != ']')
        {
            if (AtEnd)
                throw new PatternException("a '[' without ']'");
            var (members, from) = ClassAtom();
            if (members is not null)
            {
                set.Add(members);
                continue;
            }

            var to = from;
            if (Peek == '-' && PeekAfter != ']' && PeekAfter != None)
            {
                _at++;
                (members, to) = ClassAtom();
                if (members is not null)
                    throw new PatternException("a range that ends in a class of characters");
                if (to < from)
                    throw new PatternException("a range whose ends are the wrong way round");
            }

            set.Add(from, to);
        }

        _at++;
        return negated ? set.Complement() : set;
    }

    /// <summary>An escape that stands for one character or for a set of them.</summary>
    public (CodePoints? Set, int Point) Escape(bool insideClass)
    {
        _at++;
        var c = Take();
        switch (c)
        {
            case 'd' or 'D':
                return (c == 'd' ? CodePoints.Digits : CodePoints.Digits.Complement(), 0);
            case 'w' or 'W':
                return (c == 'w' ? CodePoints.WordCharacters : CodePoints.WordCharacters.Complement(), 0);
            case 's' or 'S':
                return (c == 's' ? CodePoints.Spaces : CodePoints.Spaces.Complement(), 0);
            case 'p' or 'P':
                return (c == 'p' ? Property() : Property().Complement(), 0);
            case 't' or 'n' or 'v' or 'f' or 'r':
                return (null, c switch { 't' => '\t', 'n' => '\n', 'v' => '\v', 'f' => '\f', _ => '\r' });
            case 'b' when insideClass:
                return (null, '\b');
            case '0' when !char.IsAsciiDigit(Peek):
                return (null, 0);
            case 'c' when char.IsAsciiLetter(Peek):
                return (null, Take() % 32);
            case 'x':
                return (null, Hex(2));
            case 'u':
                return (null, Unicode());
            default:
                return char.IsAsciiLetterOrDigit(c) || c > 0x7F
                    ? throw new PatternException($"ECMA-262 knows no escape \\{c}")
                    : (null, c);
        }
    }

    private (CodePoints? Set, int Point) ClassAtom() => Peek == '\\' ? Escape(insideClass: true) : (null, CodePoint());

    private CodePoints Property()
    {
        var end = source.IndexOf('}', _at);
        if (Peek != '{' || end < 0)
            throw new PatternException("expected {name} after \\p");
        var name = source[(_at + 1)..end];
        _at = end + 1;
        return UnicodeProperties.Find(name)
            ?? throw new PatternException($"\\p{{{name}}} is not known here; general categories are, scripts are not");
    }

    private int Unicode()
    {
        if (Peek == '{')
        {
            var end = source.IndexOf('}', _at);
            if (end < 0 || !int.TryParse(source.AsSpan(_at + 1, end - _at - 1), NumberStyles.AllowHexSpecifier,
                CultureInfo.InvariantCulture, out var point) || point is < 0 or > 0x10FFFF)
                throw new PatternException("expected a code point in \\u{…}");
            _at = end + 1;
            return point;
        }

        var high = Hex(4);
        if (!char.IsHighSurrogate((char)high) || Peek != '\\' || PeekAfter != 'u')
            return high;
        _at += 2;
        var low = Hex(4);
        return char.IsLowSurrogate((char)low)
            ? char.ConvertToUtf32((char)high, (char)low)
            : throw new PatternException("half a surrogate pair");
    }

    private int Hex(int digits)
    {
        if (_at + digits > source.Length || !int.TryParse(source.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture, out var value))
            throw new PatternException($"expected {digits} hexadecimal digits");
        _at += digits;
        return value;
    }

    private string Name()
    {
        var end = source.IndexOf('>', _at);
        if (Peek != '<' || end < 0 || end == _at + 1
            || !source.AsSpan(_at + 1, end - _at - 1).ToString().All(c => char.IsLetterOrDigit(c) || c == '_')
            || char.IsDigit(source[_at + 1]))
            throw new PatternException("expected a group name in <…>");
        var name = source[(_at + 1)..end];
        _at = end + 1;
        return name;
    }

    /// <summary>Bounds in braces; a brace that begins none is an ordinary character, as browsers take it.</summary>
    private (int Least, int Most)? Braces()
    {
        var end = source.IndexOf('}', _at);
        if (end < 0)
            return null;
        var parts = source[(_at + 1)..end].Split(',');
        if (parts.Length > 2 || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var least))
            return null;
        var most = least;
        if (parts.Length == 2 && parts[1].Length == 0)
            most = int.MaxValue;
        else if (parts.Length == 2 && !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out most))
            return null;
        _at = end + 1;
        return (least, most);
    }
}
