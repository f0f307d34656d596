using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Cli.Runtime;

/// <summary>A try at the door: acquits a server that lets sessions in again, with its system indexes in use.</summary>
internal sealed class ConnectCheck(SessionFactory factory, string? database) : ICheck
{
    public const string Name = "connect";

    public string Id => Name;
    public string Proves => "a session gets in";
    public Layer Layer => Layer.Catalog;
    public Depth Depth => Depth.Quick;
    public Scope Scope => Scope.Server;
    public IReadOnlyList<FaultClass> Finds { get; } = [Faults.CatalogInconsistent];
    public Needs Needs { get; } = new() { Sql = false };

    public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<Portion>>([new Portion(Door(patient.Can.SystemIdentifier, database))]);

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        try
        {
            await using var session = await factory.OpenRead(database, cancellationToken);
            return Verdict.Sound.Instance;
        }
        catch (PatientException refusal)
        {
            return Refused(refusal, portion.Target);
        }
    }

    public static Target Door(string server, string? database) =>
        new() { Server = server, Kind = TargetKind.Server, Database = database, Rule = Name };

    /// <summary>Where the files explain nothing the refusal itself is the evidence: a sound server lets in whom its rules let in.</summary>
    public static Verdict.Damaged Refused(PatientException refusal, Target door) => new(new Finding(Faults.CatalogInconsistent, door, refusal.Message)
    {
        Check = Name,
        SqlState = refusal.SqlState,
        SeverityOverride = Severity.Critical,
        Hint = "no page and no file of the cluster shows why: the rows of its catalogs contradict each other, or an index of them misleads. Copy the data directory "
            + "before anything else, and do not restart the server: it may not start again. kintsugi heal tries past the system indexes",
    });
}
