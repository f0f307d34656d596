namespace Kintsugi;

/// <summary>Asks the repairs of a fault class, the gentlest first, for a plan. Reads only.</summary>
/// <param name="only">The one repair that a person named, or null for all that wait for nobody to name them.</param>
public sealed class Planner(Registry registry, IPatientSource source, string? only = null)
{
    public async ValueTask<Prospect> Propose(HealingCase healing, CancellationToken cancellationToken)
    {
        var refusals = new List<(IRepair Repair, Proposal.Refused Refusal)>();
        foreach (var repair in registry.RepairsFor(healing.Fault).Where(repair => only is null ? !repair.OnlyWhenNamed : repair.Id == only))
        {
            switch (await Ask(repair, healing, cancellationToken))
            {
                case Proposal.Planned { Plan: var plan }:
                    return new Prospect(healing, plan, refusals);
                case Proposal.Refused refused:
                    refusals.Add((repair, refused));
                    if (refused.Final)
                        return new Prospect(healing, null, refusals);
                    break;
            }
        }
        return new Prospect(healing, null, refusals);
    }

    private async ValueTask<Proposal> Ask(IRepair repair, HealingCase healing, CancellationToken cancellationToken)
    {
        try
        {
            var patient = await source.Open(healing.Database, cancellationToken);
            await using var session = patient.Sql;
            return await repair.Plan(healing, patient, cancellationToken);
        }
        catch (PatientException problem) when (!problem.ServerAway)
        {
            return new Proposal.Refused($"planning failed: {problem.Message}");
        }
    }
}

/// <summary>What could be done about a case: a plan, or what each repair had against it.</summary>
public sealed record Prospect(HealingCase Case, Plan? Plan, IReadOnlyList<(IRepair Repair, Proposal.Refused Refusal)> Refusals)
{
    public string WhyNot => Refusals.Count == 0
        ? "no repair for this fault is known to be safe; a person must decide"
        : string.Join("; ", Refusals.Select(pair => $"{pair.Repair.Id}: {pair.Refusal.Reason}"));
}
