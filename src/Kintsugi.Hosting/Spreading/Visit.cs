using Kintsugi.State;

namespace Kintsugi.Hosting;

/// <summary>One database of a target, entered to examine units of one look of another node: one session, which ends with it.</summary>
internal sealed class Visit : IAsyncDisposable
{
    private readonly Ward ward;
    private readonly Assistance assistance;
    private readonly OpenLook look;

    private Visit(Ward ward, OpenLook look, string database, TimeProvider clock)
    {
        (this.ward, this.look) = (ward, look);
        assistance = new Assistance(ward.Registry.Checks, ward.Source, database, Enum.Parse<Depth>(look.Depth), clock);
    }

    /// <returns>Null where this node sees the server otherwise than the one that leads.</returns>
    /// <exception cref="PatientException">It cannot be entered from here.</exception>
    public static async ValueTask<Visit?> Begin(UnitClaim claim, TargetBoard board, TimeProvider clock, CancellationToken cancellationToken)
    {
        var ward = await board.Visit(claim.Look.Target, claim.Database, cancellationToken);
        if (Likeness.Ground(ward.Source.Server) == claim.Look.Ground)
            return new Visit(ward, claim.Look, claim.Database, clock);
        await ward.DisposeAsync();
        return null;
    }

    public ValueTask<UnitAnswer?> Examine(UnitClaim claim, Func<Patient, ValueTask> begin, CancellationToken cancellationToken) =>
        assistance.Examine(claim.Check, claim.Piece, look.Deadline ?? DateTimeOffset.MaxValue, begin, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await assistance.DisposeAsync();
        await ward.DisposeAsync();
    }
}
