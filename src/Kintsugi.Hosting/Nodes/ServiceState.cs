using System.Security.Cryptography;
using System.Text;
using Kintsugi.Configuration;
using Kintsugi.Postgres.Connecting;
using Kintsugi.State;

namespace Kintsugi.Hosting;

/// <summary>
/// Our memory as the configuration names it: files of this node, or one PostgreSQL database for ledger, books and Quartz's jobs of all nodes.
/// </summary>
internal sealed class ServiceState : IDisposable
{
    /// <summary>Of Quartz's tables: major, minor and patch of the version that they are known to work with.</summary>
    private const long JobStoreVersion = 4_007_003;

    private readonly PostgresStore? shared;

    /// <exception cref="StateException">It cannot be used.</exception>
    public ServiceState(LedgerConfiguration ledger, StateDirectory directory, ConnectionSurroundings around)
    {
        Node = NameOf(directory);
        Lease = ledger.Lease;
        JobConnection = Connection(ledger, around);
        shared = JobConnection is null ? null : PostgresStore.Open(JobConnection);
        Books = shared ?? ServiceFile.Open(directory.Service);
        Ledger = shared is not null ? new PostgresLedger(shared)
            : ledger.Sqlite is { } path ? SqliteLedger.Open(path) : SqliteLedger.Open(directory);
        Nodes = new NodeBook(Books);
        if (Nodes.Version("quartz", JobStoreVersion) is > JobStoreVersion and var newer)
            throw new StateException($"the job store in {Books.Place} is of a newer version (Quartz {newer / 1_000_000}.{newer / 1000 % 1000}.{newer % 1000}, this one "
                + $"has {JobStoreVersion / 1_000_000}.{JobStoreVersion / 1000 % 1000}.{JobStoreVersion % 1000}). Run the newer Kintsugi on every node.");
    }

    /// <summary>This node's name among the others, the same after each restart.</summary>
    public string Node { get; }
    public TimeSpan Lease { get; }
    public StateStore Books { get; }
    public StoredLedger Ledger { get; }
    public NodeBook Nodes { get; }
    public bool IsShared => shared is not null;

    /// <summary>Npgsql's text for Quartz's tables; null for a file of its own.</summary>
    public string? JobConnection { get; }

    /// <summary>Of the server on which the ledger lies; null for a file.</summary>
    public string? SystemIdentifier => shared?.SystemIdentifier;

    /// <summary>The machine's name, and which of its state directories.</summary>
    public static string NameOf(StateDirectory directory) =>
        $"{Environment.MachineName}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(directory.Path)))[..6]}";

    public static string? Connection(LedgerConfiguration ledger, ConnectionSurroundings around)
    {
        try
        {
            return ledger.Postgres is { } text ? DriverSettings.OfOurOwn(text, around) : null;
        }
        catch (ConnectionSettingsException problem)
        {
            throw new StateException($"ledger: {{ postgres: … }}: {problem.Message}", problem);
        }
    }

    public void Dispose()
    {
        Ledger.Dispose();
        Books.Dispose();
    }
}
