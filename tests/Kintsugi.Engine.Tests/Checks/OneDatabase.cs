namespace Kintsugi.Engine.Tests.Checks;

/// <summary>A source with a database in which nothing is asked, on a server that crashes whenever a connection is lost.</summary>
internal sealed class OneDatabase : IPatientSource
{
    public Capabilities Server { get; } = new() { Major = 18, VersionNumber = 180000, Version = "18.0", SystemIdentifier = "1" };
    public IReadOnlyList<string> Databases { get; } = ["app"];
    public IReadOnlyDictionary<string, string> Closed { get; } = new Dictionary<string, string>();

    public ValueTask<Patient> Open(string? database, CancellationToken cancellationToken) => ValueTask.FromResult(new Patient(null, null, Server));

    public void Forget(string database)
    {
        // Nothing is kept.
    }

    public ValueTask<bool> CrashedSince(CancellationToken cancellationToken) => ValueTask.FromResult(true);
}
