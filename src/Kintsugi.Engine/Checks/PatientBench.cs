using System.Collections.Concurrent;

namespace Kintsugi;

/// <summary>Patients of one database that workers take and give back, so that a session serves many examinations.</summary>
internal sealed class PatientBench(IPatientSource source, string? database) : IAsyncDisposable
{
    private readonly ConcurrentBag<Patient> idle = [];

    public string? Database { get; } = database;

    public async ValueTask<Patient> Take(CancellationToken cancellationToken) =>
        idle.TryTake(out var patient) ? patient : await source.Open(Database, cancellationToken);

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
