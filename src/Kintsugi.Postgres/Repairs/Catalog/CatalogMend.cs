using System.Globalization;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Catalog;

/// <summary>How one contradiction of the catalogs is ended from what is left in them: steps, or why it cannot be told.</summary>
internal abstract record CatalogMend
{
    private CatalogMend()
    {
    }

    public sealed record Of(IReadOnlyList<Step> Steps, string Told) : CatalogMend;

    /// <param name="Why">What is missing, and what a person could do.</param>
    public sealed record Unknown(string Why) : CatalogMend;

    /// <summary>A statement that touches that many rows of a catalog.</summary>
    public static Step Edit(HealingCase healing, string catalog, string where, string sql, long rows, string why) =>
        new(CatalogEditStep.Name, sql)
        {
            Database = healing.Database,
            Lock = "RowExclusive",
            Why = why,
            Grade = Grade.Reversible,
            Arguments = new Dictionary<string, string>
            {
                ["catalog"] = catalog,
                ["where"] = where,
                ["rows"] = rows.ToString(CultureInfo.InvariantCulture),
            },
        };

    public static Step Reindex(HealingCase healing, string name) => new(UnboundedSqlStep.Name, $"REINDEX INDEX {name}")
    {
        Database = healing.Database,
        Lock = "AccessExclusive",
        Why = "its file is not proven to hold what the table holds",
    };
}
