namespace Kintsugi;

/// <summary>The list of checks and repairs; the gentlest repair of a fault class first.</summary>
public sealed class Registry
{
    public Registry(IReadOnlyList<ICheck> checks, IReadOnlyList<IRepair> repairs)
    {
        Checks = checks;
        Repairs = repairs;
        foreach (var twice in checks.GroupBy(check => check.Id).Where(group => group.Count() > 1))
            throw new ArgumentException($"two checks are called {twice.Key}", nameof(checks));
        foreach (var twice in repairs.GroupBy(repair => repair.Id).Where(group => group.Count() > 1))
            throw new ArgumentException($"two repairs are called {twice.Key}", nameof(repairs));
    }

    public IReadOnlyList<ICheck> Checks { get; }
    public IReadOnlyList<IRepair> Repairs { get; }

    public ICheck Check(string id) => Checks.FirstOrDefault(check => check.Id == id)
        ?? throw new ArgumentException($"there is no check called {id}", nameof(id));

    public IEnumerable<IRepair> RepairsFor(FaultClass fault) => Repairs.Where(repair => repair.Mends.Contains(fault));
}
