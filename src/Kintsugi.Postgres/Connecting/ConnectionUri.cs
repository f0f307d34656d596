using System.Text;

namespace Kintsugi.Postgres.Connecting;

/// <summary>Reads <c>postgresql://user:password@host:port,host:port/dbname?option=value</c> (PostgreSQL manual, 34.1.1.2;
/// conninfo_uri_parse_options in fe-connect.c).</summary>
/// <remarks>A password with an unescaped "/" or "@" spills into the host and port, so no part of the URI is ever repeated in
/// a message.</remarks>
internal ref struct ConnectionUri(string text, string origin)
{
    private const string Escape =
        "In a password, write %40 for @, %3A for :, %2F for /, %3F for ?, %25 for %, %20 for a blank.";

    private int _at;

    public static bool IsOne(string text) => PrefixLength(text) > 0;

    private static int PrefixLength(string text) =>
        text.StartsWith("postgresql://", StringComparison.Ordinal) ? "postgresql://".Length
        : text.StartsWith("postgres://", StringComparison.Ordinal) ? "postgres://".Length
        : 0;

    public List<KeyValuePair<string, string>> Read()
    {
        var pairs = new List<KeyValuePair<string, string>>();
        _at = PrefixLength(text);
        ReadUser(pairs);
        ReadHosts(pairs);
        if (_at < text.Length && text[_at] == '/')
        {
            _at++;
            Add(pairs, "dbname", Until("?"));
        }

        if (_at < text.Length && text[_at] == '?')
        {
            _at++;
            ReadParameters(pairs);
        }

        return pairs;
    }

    private void ReadUser(List<KeyValuePair<string, string>> pairs)
    {
        var end = text.AsSpan(_at).IndexOfAny('@', '/');
        if (end < 0 || text[_at + end] == '/')
        {
            return;
        }

        Add(pairs, "user", Until(":@"));
        if (text[_at] == ':')
        {
            _at++;
            Add(pairs, "password", Until("@"));
        }

        _at++;
    }

    private void ReadHosts(List<KeyValuePair<string, string>> pairs)
    {
        var hosts = new StringBuilder();
        var ports = new StringBuilder();
        while (true)
        {
            hosts.Append(_at < text.Length && text[_at] == '[' ? Bracketed() : Until(":/?,"));
            if (_at < text.Length && text[_at] == ':')
            {
                _at++;
                ports.Append(Until("/?,"));
            }

            if (_at >= text.Length || text[_at] != ',')
            {
                break;
            }

            _at++;
            hosts.Append(',');
            ports.Append(',');
        }

        Add(pairs, "host", hosts.ToString());
        Add(pairs, "port", ports.ToString());
    }

    private string Bracketed()
    {
        var open = _at++;
        var address = Until("]");
        if (_at >= text.Length)
        {
            throw Bad($"the \"[\" at character {open + 1} is never closed: an IPv6 address is written [::1].");
        }

        if (address.Length == 0)
        {
            throw Bad("the IPv6 address between [ and ] is empty: an IPv6 address is written [::1].");
        }

        _at++;
        if (_at < text.Length && !":/?,".Contains(text[_at], StringComparison.Ordinal))
        {
            throw Bad($"character {_at + 1} cannot follow an IPv6 address: expected \":port\", \",\", \"/\" or \"?\".");
        }

        return address;
    }

    private void ReadParameters(List<KeyValuePair<string, string>> pairs)
    {
        while (_at < text.Length)
        {
            var start = _at;
            var parameter = Until("&");
            _at++;
            var equals = parameter.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0 || parameter.IndexOf('=', equals + 1) >= 0)
            {
                throw Bad($"the query parameter at character {start + 1} is not of the form name=value. "
                    + "An = inside a value is written %3D.");
            }

            var keyword = Decode(parameter[..equals]);
            var value = Decode(parameter[(equals + 1)..]);
            if (keyword == "ssl" && value == "true")
            {
                (keyword, value) = ("sslmode", "require"); // what JDBC writes; libpq takes it too
            }

            if (!ConnectionOption.All.ContainsKey(keyword))
            {
                throw Bad($"the query parameter at character {start + 1} is not a connection option. "
                    + "The usual ones are sslmode, connect_timeout, application_name, options, target_session_attrs.");
            }

            pairs.Add(new(keyword, value));
        }
    }

    private string Until(string stops)
    {
        var start = _at;
        while (_at < text.Length && !stops.Contains(text[_at], StringComparison.Ordinal))
        {
            _at++;
        }

        return text[start.._at];
    }

    private readonly void Add(List<KeyValuePair<string, string>> pairs, string keyword, string encoded)
    {
        if (encoded.Length > 0)
        {
            pairs.Add(new(keyword, Decode(encoded)));
        }
    }

    private readonly string Decode(string encoded)
    {
        if (!encoded.Contains('%', StringComparison.Ordinal))
        {
            return encoded;
        }

        var bytes = new List<byte>(encoded.Length);
        for (var i = 0; i < encoded.Length; i++)
        {
            if (encoded[i] != '%')
            {
                var take = char.IsHighSurrogate(encoded[i]) && i + 1 < encoded.Length ? 2 : 1;
                bytes.AddRange(Encoding.UTF8.GetBytes(encoded.Substring(i, take)));
                i += take - 1;
            }
            else if (i + 2 < encoded.Length && char.IsAsciiHexDigit(encoded[i + 1]) && char.IsAsciiHexDigit(encoded[i + 2]))
            {
                bytes.Add(Convert.FromHexString(encoded.AsSpan(i + 1, 2))[0]);
                i += 2;
            }
            else
            {
                throw Bad($"a % is not followed by two hexadecimal digits. {Escape}");
            }
        }

        return bytes.Contains((byte)0)
            ? throw Bad("%00 stands for a zero byte, which no value can hold. Leave it out.")
            : Encoding.UTF8.GetString([.. bytes]);
    }

    private readonly ConnectionSettingsException Bad(string what) => new($"In {origin}, {what}");
}
