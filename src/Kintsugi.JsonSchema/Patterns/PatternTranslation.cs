using System.Text;

namespace Kintsugi.JsonSchema;

/// <summary>
/// Reads a regular expression of ECMA-262 (with the u flag, as JSON Schema recommends in core 6.4) and writes the same for .NET
/// and, where every part of it means the same there, for PostgreSQL. Greed is left out for PostgreSQL: it decides which match is
/// found, never whether there is one.
/// </summary>
internal sealed class PatternTranslation
{
    /// <summary>Largest repeat count of PostgreSQL (manual 9.7.3.1); nested ones multiply, so it bounds all together.</summary>
    private const int PostgresRepeats = 255;

    private const string Word = "[0-9A-Z_a-z]";
    private readonly PatternText _source;
    private readonly StringBuilder _net = new();
    private readonly StringBuilder _sql = new();
    private bool _portable = true;
    private int _groups;
    private int _highestBack;
    private bool _named;
    private double _repeats = 1;

    private PatternTranslation(string source) => _source = new PatternText(source);

    /// <returns>The expression for .NET, and for PostgreSQL or null.</returns>
    /// <exception cref="PatternException">It is no such expression.</exception>
    public static (string DotNet, string? Postgres) Of(string source)
    {
        var translation = new PatternTranslation(source);
        translation.Run();
        return (translation._net.ToString(), translation._portable ? translation._sql.ToString() : null);
    }

    private void Run()
    {
        var open = 0;
        while (!_source.AtEnd)
        {
            var quantifiable = true;
            switch (_source.Peek)
            {
                case '(':
                    Group();
                    open++;
                    continue;
                case ')':
                    if (open-- == 0)
                        throw new PatternException("a ')' without '('");
                    Both(_source.Take());
                    break;
                case '|':
                    Both(_source.Take());
                    continue;
                case '^':
                    Both(_source.Take());
                    quantifiable = false;
                    break;
                case '$':
                    _source.Take();
                    Write("\\z", "$");
                    quantifiable = false;
                    break;
                case '*' or '+' or '?':
                    throw new PatternException($"nothing for '{_source.Peek}' to repeat");
                default:
                    quantifiable = Atom();
                    break;
            }

            Quantifier(quantifiable);
        }

        if (open > 0)
            throw new PatternException("a '(' without ')'");
        if (_highestBack > _groups)
            throw new PatternException($"\\{_highestBack} refers to a group that is not there");

        // .NET counts named groups after the others, ECMA-262 counts all in order.
        if (_named && _highestBack > 0)
            throw new PatternException("back references by number beside named groups are not kept here; use \\k<name>");
    }

    private void Group()
    {
        var opening = _source.GroupOpening();
        if (opening is "(" or "(?:")
        {
            _groups += opening == "(" ? 1 : 0;
            Write(opening, "(?:");
            return;
        }

        _groups += opening.EndsWith('>') ? 1 : 0;
        _named |= opening.EndsWith('>');
        _portable &= opening.EndsWith('>');
        Write(opening, "(?:");
    }

    /// <returns>False for an assertion, which cannot be repeated.</returns>
    private bool Atom()
    {
        switch (_source.Peek)
        {
            case '.':
                _source.Take();
                Set(CodePoints.AnyButLineEnds);
                return true;
            case '[':
                Set(_source.Class());
                return true;
            case '\\':
                return Escape();
            default:
                Literal(_source.CodePoint());
                return true;
        }
    }

    private bool Escape()
    {
        switch (_source.PeekAfter)
        {
            case 'b' or 'B':
                _source.Take();
                _portable = false;
                _net.Append(_source.Take() == 'b'
                    ? $"(?:(?<={Word})(?!{Word})|(?<!{Word})(?={Word}))"
                    : $"(?:(?<={Word})(?={Word})|(?<!{Word})(?!{Word}))");
                return false;
            case >= '1' and <= '9':
                var number = _source.BackReference();
                _highestBack = Math.Max(_highestBack, number);
                _portable = false;
                _net.Append($"(?:\\{number})");
                return true;
            case 'k':
                _portable = false;
                _net.Append(_source.NamedBackReference());
                return true;
            default:
                var (set, point) = _source.Escape(insideClass: false);
                if (set is not null)
                    Set(set);
                else
                    Literal(point);
                return true;
        }
    }

    private void Quantifier(bool quantifiable)
    {
        if (_source.Quantifier() is not { } quantifier)
            return;
        if (!quantifiable)
            throw new PatternException("an assertion cannot be repeated");
        if (quantifier.Most < quantifier.Least)
            throw new PatternException("a repeat whose bounds are the wrong way round");
        _repeats *= Math.Max(1, Math.Max(quantifier.Least, quantifier.Most == int.MaxValue ? 1 : quantifier.Most));
        _portable &= _repeats <= PostgresRepeats;
        Write(quantifier.Text + (quantifier.Lazy ? "?" : ""), quantifier.Text);
    }

    private void Set(CodePoints set)
    {
        var sql = set.ForPostgres();
        _portable &= sql is not null;
        Write(set.ForDotNet(), sql ?? "");
    }

    private void Literal(int point)
    {
        if (point < 0x80 && char.IsAsciiLetterOrDigit((char)point))
            Both((char)point);
        else
            Set(CodePoints.Of((point, point)));
    }

    private void Both(char c)
    {
        _net.Append(c);
        _sql.Append(c);
    }

    private void Write(string net, string sql)
    {
        _net.Append(net);
        _sql.Append(sql);
    }
}
