using System.Text;

namespace Kintsugi.Postgres.Connecting;

/// <summary>Reads <c>host=… port=…</c> (PostgreSQL manual, 34.1.1.1; conninfo_parse in fe-connect.c).</summary>
/// <remarks>A password with an unquoted blank falls apart into further words, so no word of the text is ever repeated in
/// a message: positions are given instead.</remarks>
internal ref struct KeywordString(string text, string origin)
{
    private int _at;

    public List<KeyValuePair<string, string>> Read()
    {
        var pairs = new List<KeyValuePair<string, string>>();
        while (SkipBlanks())
        {
            var start = _at;
            while (_at < text.Length && text[_at] != '=' && !IsBlank(text[_at]))
            {
                _at++;
            }

            var keyword = text[start.._at];
            if (!SkipBlanks() || text[_at] != '=')
            {
                throw Bad($"the word at character {start + 1} has no \"=\" after it. "
                    + "A value with blanks is written in single quotes: password='two words'.");
            }

            _at++;
            SkipBlanks();
            var value = _at < text.Length && text[_at] == '\'' ? Quoted() : Bare();
            pairs.Add(Known(keyword, value, start));
        }

        return pairs;
    }

    private readonly KeyValuePair<string, string> Known(string keyword, string value, int start)
    {
        // The old name of sslmode, still taken by libpq.
        if (keyword == "requiressl")
        {
            return new("sslmode", value.StartsWith('1') ? "require" : "prefer");
        }

        if (!ConnectionOption.All.ContainsKey(keyword))
        {
            throw Bad($"the word at character {start + 1} is not a connection option. "
                + "The usual ones are host, port, dbname, user, password, sslmode, service.");
        }

        return new(keyword, value);
    }

    private string Bare()
    {
        var value = new StringBuilder();
        while (_at < text.Length && !IsBlank(text[_at]))
        {
            if (text[_at] == '\\' && ++_at == text.Length)
            {
                break; // a lone backslash at the end stands for nothing, as in libpq
            }

            value.Append(text[_at++]);
        }

        return value.ToString();
    }

    private string Quoted()
    {
        var open = _at++;
        var value = new StringBuilder();
        while (_at < text.Length && text[_at] != '\'')
        {
            if (text[_at] == '\\' && ++_at == text.Length)
            {
                break;
            }

            value.Append(text[_at++]);
        }

        if (_at >= text.Length)
        {
            throw Bad($"the quote opened at character {open + 1} is never closed. Write \\' for a quote inside a value.");
        }

        _at++;
        return value.ToString();
    }

    private bool SkipBlanks()
    {
        while (_at < text.Length && IsBlank(text[_at]))
        {
            _at++;
        }

        return _at < text.Length;
    }

    private static bool IsBlank(char c) => c is ' ' or '\t' or '\n' or '\r' or '\f' or '\v';

    private readonly ConnectionSettingsException Bad(string what) => new($"In {origin}, {what}");
}
