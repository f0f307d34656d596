using System.Text.RegularExpressions;

namespace Kintsugi.Configuration;

/// <summary>What may happen without a person, by fault class, with exceptions for databases and tables.</summary>
/// <param name="ByFault">What the owner said of a fault class; one that is not named follows the rules that ship.</param>
/// <param name="Exceptions">The first that fits wins over <paramref name="ByFault"/>.</param>
public sealed record PolicyConfiguration(
    IReadOnlyDictionary<string, PolicyChoice> ByFault, IReadOnlyList<PolicyOverride> Exceptions)
{
    public static PolicyConfiguration Default { get; } = new(new Dictionary<string, PolicyChoice>(), []);

    /// <summary>Whether the service repairs row findings that were there before its first scrub.</summary>
    public bool RepairExisting { get; init; }

    /// <summary>A violation in rows is repaired by the service only when two scrubs this far apart saw it.</summary>
    public TimeSpan ConfirmAfter { get; init; } = TimeSpan.FromHours(24);

    /// <summary>What the owner wants for this fault at this place, or null when nothing was said.</summary>
    public PolicyChoice? ChoiceFor(string fault, string? database, string? schema, string? table) =>
        Exceptions.FirstOrDefault(exception => exception.Fits(fault, database, schema, table)) is { } exception
            ? exception.Choice
            : ByFault.TryGetValue(fault, out var choice) ? choice : null;

    /// <summary>The choices as they stand for one place, for the judge.</summary>
    public IReadOnlyDictionary<string, PolicyChoice> ChoicesFor(string? database, string? schema, string? table) =>
        Faults.All
            .Select(fault => (fault.Id, Choice: ChoiceFor(fault.Id, database, schema, table)))
            .Where(pair => pair.Choice is not null)
            .ToDictionary(pair => pair.Id, pair => pair.Choice!.Value);
}

/// <param name="Fault">A fault class; null means every one.</param>
/// <param name="Database">A pattern with * and ?; null means every one.</param>
/// <param name="Table">A pattern with * and ? over "schema.table"; null means every one.</param>
public sealed record PolicyOverride(string? Fault, string? Database, string? Table, PolicyChoice Choice)
{
    public bool Fits(string fault, string? database, string? schema, string? table) =>
        (Fault is null || Fault == fault)
        && Matches(Database, database)
        && Matches(Table, schema is null || table is null ? null : $"{schema}.{table}");

    private static bool Matches(string? pattern, string? name) =>
        pattern is null
        || (name is not null && Regex.IsMatch(
            name,
            $"^{Regex.Escape(pattern).Replace("\\*", ".*", StringComparison.Ordinal).Replace("\\?", ".", StringComparison.Ordinal)}$",
            RegexOptions.Singleline | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking));
}
