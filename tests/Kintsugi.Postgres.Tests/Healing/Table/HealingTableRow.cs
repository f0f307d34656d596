using System.Text.Json;

namespace Kintsugi.Postgres.Tests.Healing.Table;

/// <summary>How one treatment ended for one injury.</summary>
/// <param name="Healed">Every row is as before the injury, and the checks for that fault find nothing.</param>
/// <param name="Lost">Rows that are gone, changed or cannot be read, against the moment before the injury.</param>
/// <param name="Note">What it said or did not get done.</param>
internal sealed record HealingTableEnd(bool Healed, long Lost, long Quarantined, string Note);

/// <summary>One injury, and how three treatments ended.</summary>
/// <param name="Struck">Rows that were gone, changed or unreadable right after the injury.</param>
internal sealed record HealingTableRow(
    string Injury, string Fault, int Major, long Struck, bool Found, HealingTableEnd Kintsugi, HealingTableEnd Brief, HealingTableEnd Usual)
{
    public static void Write(string folder, HealingTableRow row)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, $"{row.Injury}.json"), JsonSerializer.Serialize(row));
    }

    public static IReadOnlyList<HealingTableRow> Read(string folder, IEnumerable<string> injuries) =>
    [
        .. injuries.Select(name => Path.Combine(folder, $"{name}.json")).Where(File.Exists)
            .Select(path => JsonSerializer.Deserialize<HealingTableRow>(File.ReadAllText(path))!),
    ];
}
