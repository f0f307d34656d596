using System.Diagnostics.CodeAnalysis;

namespace Kintsugi.Postgres.Connecting;

/// <summary>The option values gathered so far, each with the place it came from. The first to fill an option wins,
/// except where the caller replaces it on purpose.</summary>
internal sealed class OptionValues
{
    private readonly Dictionary<string, (string Value, string Origin)> _values = new(StringComparer.Ordinal);

    public void Replace(string keyword, string value, string origin) => _values[keyword] = (value, origin);

    public void Fill(string keyword, string value, string origin) => _values.TryAdd(keyword, (value, origin));

    public void Drop(string keyword) => _values.Remove(keyword);

    /// <summary>Whether anything was said, be it the empty string, which stands for the default.</summary>
    public bool Has(string keyword) => _values.ContainsKey(keyword);

    public bool TryGet(string keyword, [NotNullWhen(true)] out string? value)
    {
        value = Get(keyword);
        return value is not null;
    }

    /// <summary>The value, or null when there is none or it is empty.</summary>
    public string? Get(string keyword) => _values.TryGetValue(keyword, out var found) && found.Value.Length > 0 ? found.Value : null;

    /// <summary>Where the value came from, for messages: "-p", "PGPORT", "the connection string".</summary>
    public string Origin(string keyword) => _values.TryGetValue(keyword, out var found) ? found.Origin : "the defaults";

    public IEnumerable<string> Keywords => _values.Keys;
}
