namespace Kintsugi.Postgres.Checks;

/// <summary>Stretches of a table's heap: workers share them out, and an interrupted check goes on behind the last that was proven.</summary>
internal static class HeapSlices
{
    /// <summary>256 MiB, about a quarter of a second of verify_heapam: what an interruption costs at most.</summary>
    public const long Blocks = 32 * 1024;

    /// <summary>The whole, cut; the last one is open: a table grows.</summary>
    public static IEnumerable<Portion> Of(Relation relation, Portion whole)
    {
        var slices = whole.Settled is null ? Math.Max(1, (relation.Pages + Blocks - 1) / Blocks) : 1;
        for (var slice = 0L; slice < slices; slice++)
            yield return whole with
            {
                FirstBlock = slice * Blocks,
                Blocks = slice + 1 < slices ? Blocks : long.MaxValue,
                Weight = Math.Max(0, Math.Min(relation.Pages - (slice * Blocks), Blocks)),
            };
    }
}
