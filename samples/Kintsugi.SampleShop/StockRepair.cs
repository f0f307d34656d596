namespace Kintsugi.SampleShop;

/// <summary>The shop's word on wrong stock: nobody but the warehouse can tell what is there, so it is handed to a person with that advice.</summary>
internal sealed class StockRepair : IRepair
{
    public string Id => "shop-stock";
    public string Does => "hands wrong stock to the warehouse";
    public IReadOnlyList<FaultClass> Mends => [Faults.RuleViolated];
    public Grade Grade => Grade.Reversible;

    public ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken) => ValueTask.FromResult<Proposal>(
        new Proposal.Refused("the warehouse counts the products and corrects their stock"));
}
