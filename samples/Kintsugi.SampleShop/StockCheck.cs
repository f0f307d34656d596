namespace Kintsugi.SampleShop;

/// <summary>What only the shop knows: no product has less than nothing in stock.</summary>
internal sealed class StockCheck : ICheck
{
    public string Id => "shop-stock";
    public string Proves => "no product has less than nothing in stock";
    public Layer Layer => Layer.Value;
    public Depth Depth => Depth.Standard;
    public IReadOnlyList<FaultClass> Finds => [Faults.RuleViolated];
    public Needs Needs { get; } = new();

    public async ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken)
    {
        var tables = await patient.Session.Rows(
            "SELECT c.oid FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass('public.products')", row => row.GetFieldValue<uint>(0), cancellationToken);
        return [.. tables.Select(oid => new Portion(new Target
        {
            Server = patient.Can.SystemIdentifier, Kind = TargetKind.Table, Database = patient.Relations.Database,
            Schema = "public", Relation = "products", Object = "products", Rule = "stock",
        })
        {
            // On a damaged table the answer would count for nothing.
            StandsOn = [oid],
        })];
    }

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        var wrong = (await patient.Session.Rows("SELECT pg_catalog.count(*) FROM public.products p WHERE p.stock < 0", row => row.GetInt64(0), cancellationToken))[0];
        return wrong == 0
            ? new Verdict.Sound()
            : new Verdict.Damaged([new Finding(Faults.RuleViolated, portion.Target, $"expected no stock below 0, but {wrong} products have one")
            {
                Check = Id, Rows = wrong, Hint = "count these products and correct their stock",
            }]);
    }
}
