using System.Globalization;
using System.Text;

namespace Kintsugi.Lab;

/// <summary>What happened to the rows of one table between two fingerprints.</summary>
/// <param name="Table">The quoted name.</param>
/// <param name="Lost">Keys of rows that are gone.</param>
/// <param name="Changed">Keys of rows that are there with another content.</param>
/// <param name="Extra">Keys of rows that were not there.</param>
/// <param name="Unreadable">Why one of the two could not be read, or null.</param>
public sealed record TableDifference(
    string Table, IReadOnlyList<string> Lost, IReadOnlyList<string> Changed, IReadOnlyList<string> Extra, string? Unreadable)
{
    /// <summary>More keys than this tell a reader nothing new.</summary>
    private const int KeysShown = 5;

    public override string ToString()
    {
        if (Unreadable is not null)
            return $"{Table}: unreadable: {Unreadable}";
        var text = new StringBuilder(Table).Append(':');
        Append(text, Lost, "lost");
        Append(text, Changed, "changed");
        Append(text, Extra, "extra");
        return text.ToString();
    }

    private static void Append(StringBuilder text, IReadOnlyList<string> keys, string word)
    {
        if (keys.Count == 0)
            return;
        text.Append(CultureInfo.InvariantCulture, $" {keys.Count} {word} {string.Join(' ', keys.Take(KeysShown))}");
        text.Append(keys.Count > KeysShown ? " …" : "");
    }
}

/// <summary>All that differs between two fingerprints of one database.</summary>
public sealed record FingerprintDifference(IReadOnlyList<TableDifference> Tables)
{
    /// <summary>Every row is there, with the same content, and none is new.</summary>
    public bool IsEmpty => Tables.Count == 0;

    /// <summary>One line for each table that differs.</summary>
    public override string ToString() => IsEmpty ? "every row is the same" : string.Join('\n', Tables);

    internal static FingerprintDifference Between(Fingerprint before, Fingerprint after, IReadOnlyCollection<string> except)
    {
        var names = before.Tables.Keys.Union(after.Tables.Keys).Except(except).Order(StringComparer.Ordinal);
        var nothing = new TableFingerprint(new Dictionary<string, IReadOnlyList<UInt128>>(), null);
        return new FingerprintDifference(
            [.. names.Select(name =>
                Compare(name, before.Tables.GetValueOrDefault(name, nothing), after.Tables.GetValueOrDefault(name, nothing)))
                .Where(d => d.Unreadable is not null || d.Lost.Count + d.Changed.Count + d.Extra.Count > 0)]);
    }

    private static TableDifference Compare(string name, TableFingerprint before, TableFingerprint after)
    {
        if ((before.Unreadable ?? after.Unreadable) is { } why)
            return new TableDifference(name, [], [], [], why);
        List<string> lost = [], changed = [], extra = [];
        foreach (var (key, hashes) in before.Rows)
        {
            if (!after.Rows.TryGetValue(key, out var now))
                lost.Add(key);
            else if (!hashes.SequenceEqual(now))
                (hashes.Count > now.Count ? lost : hashes.Count < now.Count ? extra : changed).Add(key);
        }
        extra.AddRange(after.Rows.Keys.Where(key => !before.Rows.ContainsKey(key)));
        return new TableDifference(name, Sorted(lost), Sorted(changed), Sorted(extra), null);
    }

    private static List<string> Sorted(List<string> keys)
    {
        keys.Sort(StringComparer.Ordinal);
        return keys;
    }
}
