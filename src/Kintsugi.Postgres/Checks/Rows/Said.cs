using System.Globalization;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Checks.Rows;

/// <summary>The parts of a finding that are the same for every condition on the rows of a table.</summary>
internal static class Said
{
    public const string Repairable =
        "look at the sample rows; kintsugi plan shows what could be done about them, and the row as it was is always kept";

    public static Finding Finding(
        FaultClass fault, Target target, RowQuestion question, RowsFound found, string evidence, RowRepair repair,
            string? flag) =>
        new(fault, target, Writers(found) is { } writer ? $"{evidence}; {writer}" : evidence)
        {
            Rows = found.Rows,
            Key = found.Rows == 1 ? found.Sample[0].Key : null,
            Samples = found.Samples,
            Hint = Repairable,
            Facts = RowFacts.Of(question, repair, flag),
        };

    /// <summary>Whether one transaction wrote all of the rows, as a load or a migration does; null where several did, or there is but one row.</summary>
    public static string? Writers(RowsFound found) =>
        found.Sample.Count > 1 && found.Sample.Count == found.Rows && found.Sample.All(row => row.Version == found.Sample[0].Version)
            ? $"one transaction wrote all of these rows (xmin {found.Sample[0].Version})" : null;

    /// <summary>"1 row" or "5 rows".</summary>
    public static string Rows(RowsFound found) =>
        found.Rows == 1 ? "1 row" : $"{found.Rows.ToString(CultureInfo.InvariantCulture)} rows";

    /// <summary>", for example {…}", with the values where they were asked for.</summary>
    public static string Example(RowsFound found) =>
        found.Sample[0] is { Shown: { } shown } row ? $", for example {row.Key}: {shown}"
            : $", for example {found.Sample[0].Key}";
}
