using System.Collections.Concurrent;
using Places = System.Collections.Generic.IReadOnlyDictionary<(uint Table, string Condition), System.Collections.Generic.IReadOnlyList<string>>;

namespace Kintsugi.Postgres.Sessions;

/// <summary>Where bad rows were seen, from one inventory of a database to the next: whoever looks again begins there.</summary>
internal sealed class SeenRows
{
    /// <summary>So many places of one database are kept: ten megabytes or so.</summary>
    private const int Most = 100_000;

    private static readonly Places None = new Dictionary<(uint Table, string Condition), IReadOnlyList<string>>();

    private readonly ConcurrentDictionary<string, Places> kept = new();

    public Places For(string database) => kept.GetValueOrDefault(database, None);

    /// <summary>Keeps what that inventory knew, the shortest lists first; what it did not look at is known from before.</summary>
    public void Keep(string database, Inventory inventory)
    {
        var all = inventory.RowsSeen.Concat(inventory.RowsBefore.Where(pair => !inventory.RowsSeen.ContainsKey(pair.Key))).OrderBy(pair => pair.Value.Count);
        var places = new Dictionary<(uint Table, string Condition), IReadOnlyList<string>>();
        var sum = 0;
        foreach (var (key, rows) in all.TakeWhile(pair => (sum += pair.Value.Count) <= Most))
            places[key] = rows;
        kept[database] = places;
    }
}
