using Kintsugi.Pages;
using Kintsugi.Pages.Files;

namespace Kintsugi.Postgres.Checks.Storage.Cluster;

/// <summary>One look at a cluster: its control file, what the catalog says where a server can be asked, and where findings
/// go.</summary>
internal sealed class ClusterView(Patient patient, Target server, ControlFile? control, byte[] controlBytes,
    IReadOnlyList<DatabaseFacts> databases)
{
    private readonly List<Finding> findings = [];

    public Patient Patient { get; } = patient;
    public IPatientFiles Files { get; } = patient.Files!;

    /// <summary>Decoded, with a right CRC; null otherwise.</summary>
    public ControlFile? Control { get; } = control is { IsCrcRight: true } ? control : null;
    public byte[] ControlBytes { get; } = controlBytes;

    /// <summary>By the catalog; empty without a server.</summary>
    public IReadOnlyList<DatabaseFacts> Databases { get; } = databases;
    public IReadOnlyList<Finding> Findings => findings;

    public void Accuse(FaultClass fault, string file, string evidence, string hint, string? database = null) =>
        findings.Add(new Finding(fault, server with { Database = database, Object = file }, $"{file}: {evidence}")
        {
            Hint = hint,
            Facts = new Dictionary<string, string> { ["cause"] = file, ["story"] = $"{file} is damaged", ["path"] = file },
        });

    public void AccuseCluster(string file, string evidence, string hint, string? database = null) =>
        Accuse(Faults.ClusterFileCorrupt, file, evidence, hint, database);

    /// <summary>The whole file, or null when there is none. Nothing that is read so is larger than a few kilobytes.</summary>
    public async ValueTask<byte[]?> ReadAll(string path, CancellationToken cancellationToken)
    {
        var length = Files.Length(path);
        if (length < 0)
            return null;
        var bytes = new byte[Math.Min(length, 2 * PageFormat.Size)];
        var read = await Files.Read(path, 0, bytes, cancellationToken);
        return bytes[..read];
    }
}

/// <summary>A database as the running server's catalog tells it.</summary>
/// <param name="Home">Its directory, below the data directory.</param>
internal sealed record DatabaseFacts(uint Oid, string Name, string Home);
