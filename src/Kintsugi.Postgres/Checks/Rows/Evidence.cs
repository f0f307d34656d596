using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Rows;

/// <summary>
/// How evidence about rows is read: from the heap alone, by a plan that is looked at before it runs.
/// </summary>
internal static class Evidence
{
    /// <summary>
    /// No index decides what rows exist. Nested loops are off because without an index they never end; constraints
    /// and partition bounds prove nothing to the planner, for they are what is being examined.
    /// </summary>
    private const string HeapAlone =
        "SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off; "
        + "SET LOCAL enable_nestloop = off; SET LOCAL constraint_exclusion = off; SET LOCAL enable_partitionwise_join = off; "
        + "SET LOCAL enable_partition_pruning = off";

    /// <summary>
    /// To be added where rows are read by their places: in their order that is nearly as cheap as reading on, and priced as random reads they made the
    /// planner read the whole table again.
    /// </summary>
    public const string ByPlace = "; SET LOCAL random_page_cost = 0.1";

    /// <summary>The settings of a transaction that reads the heap alone, with that role's rights where one is named.</summary>
    public static string Settings(string? role) =>
        role is null ? HeapAlone : $"{HeapAlone}; SET LOCAL ROLE {Quote.Identifier(role)}";

    /// <summary>
    /// Why the plan of that statement cannot be trusted, or null: it must not use an index whatever was forbidden.
    /// </summary>
    public static async ValueTask<string?> Distrust(
        IReadSession session, string sql, CancellationToken cancellationToken, params object?[] parameters)
    {
        var plan = string.Concat(
            await session.Rows(
            $"EXPLAIN (FORMAT JSON, COSTS OFF) {sql}", row => row.GetString(0), cancellationToken, parameters));
        return plan.Contains("\"Node Type\": \"Index", StringComparison.Ordinal)
            || plan.Contains("\"Node Type\": \"Bitmap", StringComparison.Ordinal)
            ? "the planner reads an index although that is forbidden here, and an index may be what is damaged"
            : null;
    }
}
