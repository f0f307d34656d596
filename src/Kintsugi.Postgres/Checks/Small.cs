namespace Kintsugi.Postgres.Checks;

/// <summary>What the checks that look at many small relations together ask first.</summary>
internal static class Small
{
    /// <summary>One MiB. The portion's weight is the planner's guess, which is 0 for a table that was never analyzed.</summary>
    private const long MostBlocks = 128;

    /// <summary>
    /// Those pieces whose relation, and for an index its table, has few blocks at this moment. One that is gone is left out: alone it is told so.
    /// </summary>
    public static async ValueTask<IReadOnlyList<(Portion Portion, long Blocks)>> Of(
        IReadOnlyList<Portion> portions, Patient patient, CancellationToken cancellationToken)
    {
        var wanted = portions.SelectMany(portion => Oids(portion.Relation!)).Distinct().ToArray();
        var sizes = (await patient.Session.Rows(
            "SELECT o, pg_catalog.pg_relation_size(o::pg_catalog.regclass, 'main') / 8192 FROM pg_catalog.unnest($1) o",
            row => (row.GetFieldValue<uint>(0), row.IsDBNull(1) ? long.MaxValue : row.GetInt64(1)), cancellationToken, [wanted])).ToDictionary();
        return [.. portions.Where(portion => Oids(portion.Relation!).All(oid => sizes.GetValueOrDefault(oid, long.MaxValue) <= MostBlocks))
            .Select(portion => (portion, sizes[portion.Relation!.Oid]))];
    }

    /// <summary>Those of the pieces whose relations are not among the accused.</summary>
    public static IReadOnlyCollection<Portion> Without(IEnumerable<Portion> portions, IEnumerable<uint> accused)
    {
        var bad = accused.ToHashSet();
        return [.. portions.Where(portion => !bad.Contains(portion.Relation!.Oid))];
    }

    /// <summary>The pieces that no row of their numbered questions speaks against: one statement, a branch for each.</summary>
    /// <param name="questions">A SELECT for each piece that returns rows when something may be wrong.</param>
    public static string AnyOf(IEnumerable<string> questions) =>
        string.Join(" UNION ALL ", questions.Select((question, i) => $"SELECT {i} WHERE EXISTS ({question})"));

    private static IEnumerable<uint> Oids(Relation relation) => relation.HeapOid == 0 ? [relation.Oid] : [relation.Oid, relation.HeapOid];
}
