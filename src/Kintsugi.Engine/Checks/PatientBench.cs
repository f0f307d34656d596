using System.Collections.Concurrent;

namespace Kintsugi;

/// <summary>Patients of one database that workers take and give back, so that a session serves many examinations.</summary>
internal sealed class PatientBench(IPatientSource source, string? database, Bodies bodies) : IAsyncDisposable
{
    private readonly ConcurrentBag<Patient> idle = [];

    public string? Database { get; } = database;

    /// <summary>Whether anybody will ask for the inventory.</summary>
    public bool WithRelations { get; init; } = true;

    /// <summary>What all patients of the bench have in common: capabilities and inventory; null before the first was taken.</summary>
    public Patient? Any { get; private set; }

    public async ValueTask<Patient> Take(CancellationToken cancellationToken)
    {
        if (idle.TryTake(out var patient))
            return patient;
        return Any = (await (WithRelations ? source.Open(Database, cancellationToken) : source.OpenBare(Database, cancellationToken))) with { Bodies = bodies };
    }

    public async ValueTask<Inventory?> Inventory(CancellationToken cancellationToken)
    {
        var patient = await Take(cancellationToken);
        Give(patient);
        return patient.Inventory;
    }

    public void Give(Patient patient) => idle.Add(patient);

    public static async ValueTask Discard(Patient patient)
    {
        if (patient.Sql is { } session)
            await session.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        while (idle.TryTake(out var patient))
            await Discard(patient);
    }
}
