namespace Kintsugi.Lab.Damage;

/// <summary>What an injury hits: the table a person knows and, where it is another, the object itself.</summary>
/// <param name="Schema">The schema of the table; pg_catalog for system catalogs, empty for files of the cluster.</param>
/// <param name="Relation">The table, or the file for damage to the whole cluster.</param>
/// <param name="Object">The index, sequence or type; null where it is the table, or its TOAST table, whose name is not
/// fixed.</param>
public sealed record InjuryTarget(string Schema, string Relation, string? Object = null)
{
    public override string ToString() => $"{Schema}.{Object ?? Relation}";
}

/// <summary>
/// One named way to damage a cluster of the lab, as a real accident would. It says what has to be found, and proves that
/// it took: a test whose injury did not take proves nothing.
/// </summary>
/// <param name="name">The stable name, as `kintsugi demo --only` takes it.</param>
/// <param name="accident">The real accident that it stands for.</param>
/// <param name="fault">The fault class under which it has to be found.</param>
/// <param name="target">Where it has to be found.</param>
public abstract class Injury(string name, string accident, FaultClass fault, InjuryTarget target)
{
    public string Name { get; } = name;

    public string Accident { get; } = accident;

    public FaultClass Fault { get; } = fault;

    public InjuryTarget Target { get; } = target;

    /// <summary>Other fault classes under which a check may rightly report it.</summary>
    public IReadOnlyList<FaultClass> Alike { get; protected init; } = [];

    /// <summary>The first major that it exists on.</summary>
    public int Oldest { get; protected init; } = PostgresBinaries.OldestMajor;

    /// <summary>Whether files are changed, so that the server is stopped and started: needs a cluster of one's own.</summary>
    public virtual bool StopsServer => false;

    /// <summary>Whether the server starts with it at all; if not, it is left stopped.</summary>
    public bool ServerStarts { get; protected init; } = true;

    /// <summary>
    /// Whether rows are gone or changed by it, so that no repair without other copies can bring back every one.
    /// </summary>
    public bool LosesRows { get; protected init; }

    /// <summary>Works on the running server, and plans what is to be done to its files once it is stopped.</summary>
    protected internal abstract Task<IReadOnlyList<FileDamage>> Plan(InjuryRoom room, CancellationToken cancellationToken);

    /// <summary>Throws unless the damage is there. The server runs, if it can.</summary>
    protected internal abstract Task Prove(InjuryRoom room, CancellationToken cancellationToken);

    /// <summary>
    /// Inflicts injuries together: all are planned, the server is stopped once if need be, all are applied and proven.
    /// </summary>
    public static async Task Inflict(
        ThrowawayCluster cluster, string database, IReadOnlyList<Injury> injuries, CancellationToken cancellationToken)
    {
        var room = InjuryRoom.Enter(cluster, database);
        foreach (var injury in injuries)
            if (cluster.Major < injury.Oldest)
                throw new LabException($"{injury.Name} exists from PostgreSQL {injury.Oldest} on; this is {cluster.Major}.");
        var damages = new List<FileDamage>();
        foreach (var injury in injuries)
            damages.AddRange(await injury.Plan(room, cancellationToken));
        if (damages.Count > 0)
        {
            await cluster.Stop(StopMode.Fast, cancellationToken);
            foreach (var damage in damages)
                damage.Apply();
            if (injuries.All(injury => injury.ServerStarts))
                await cluster.Start(cancellationToken);
        }
        foreach (var injury in injuries)
            await injury.Prove(room, cancellationToken);
    }

    /// <summary>The failure of an injury that did not take.</summary>
    protected LabException DidNotTake(string because) => new($"The injury {Name} did not take on {Target}: {because}");
}
