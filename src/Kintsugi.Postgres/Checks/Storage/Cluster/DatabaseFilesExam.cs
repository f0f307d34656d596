using System.Globalization;
using System.Text;
using Kintsugi.Pages;
using Kintsugi.Pages.Files;

namespace Kintsugi.Postgres.Checks.Storage.Cluster;

/// <summary>PG_VERSION and pg_filenode.map, of the cluster and of each database.</summary>
internal static class DatabaseFilesExam
{
    private const string Map = "pg_filenode.map", Version = "PG_VERSION";

    public static async ValueTask Look(ClusterView view, CancellationToken cancellationToken)
    {
        await LookAtVersion(view, Version, null, cancellationToken);
        await LookAtMap(view, $"global/{Map}", null, cancellationToken);
        foreach (var (home, name) in Homes(view))
        {
            if (view.Databases.Count > 0 && view.Files.List(home).Count == 0)
            {
                view.AccuseCluster(home, $"the directory of database {name} is missing or empty",
                    "put it back from a backup; other databases are not concerned", name);
                continue;
            }
            await LookAtVersion(view, $"{home}/{Version}", name, cancellationToken);
            await LookAtMap(view, $"{home}/{Map}", name, cancellationToken);
        }
    }

    /// <summary>
    /// By the catalog where it can be asked. Without it, the directories that have at least one of the two files: one with
    /// neither may belong to a database whose home is another tablespace, or be what an interrupted CREATE DATABASE left.
    /// </summary>
    private static IEnumerable<(string Home, string? Name)> Homes(ClusterView view)
    {
        if (view.Databases.Count > 0)
            return view.Databases.Select(database => (database.Home, (string?)database.Name));
        return view.Files.List("base")
            .Where(entry => entry.EndsWith('/')
                && uint.TryParse(entry.AsSpan(0, entry.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out _))
            .Select(entry => $"base/{entry[..^1]}")
            .Where(home => view.Files.Exists($"{home}/{Map}") || view.Files.Exists($"{home}/{Version}"))
            .Select(home => (home, (string?)null));
    }

    private static async ValueTask LookAtVersion(ClusterView view, string file, string? database,
        CancellationToken cancellationToken)
    {
        var expected = view.Patient.Can.Major.ToString(CultureInfo.InvariantCulture);
        var hint = $"write it again: the line {expected} and nothing else, owned by the server's user";
        if (await view.ReadAll(file, cancellationToken) is not { } bytes)
            view.AccuseCluster(file, database is null
                ? "the file is missing; a server refuses what it belongs to"
                : $"the file is missing; the server refuses every connection to {database}", hint, database);
        else if (Encoding.ASCII.GetString(bytes) != expected + "\n")
            view.AccuseCluster(file, $"it should say {expected}, but it says \"{Printable(bytes)}\"", hint, database);
    }

    private static async ValueTask LookAtMap(ClusterView view, string file, string? database, CancellationToken cancellationToken)
    {
        const string hint = "without it no catalog is found. Put it back from a backup of this cluster: it changes only with "
            + "VACUUM FULL, CLUSTER or REINDEX of "
            + "system catalogs; a copy taken since the last of these is as good as the lost one";
        var flaws = new List<Flaw>();
        if (await view.ReadAll(file, cancellationToken) is not { } bytes)
            view.AccuseCluster(file, "the file is missing", hint, database);
        else if (RelationMap.Read(bytes, flaws) is null || flaws.Count > 0)
            view.AccuseCluster(file, string.Join("; ", flaws.Select(flaw => flaw.Describe())), hint, database);
    }

    private static string Printable(byte[] bytes) =>
        string.Concat(Encoding.ASCII.GetString(bytes.AsSpan(0, Math.Min(bytes.Length, 20))).Select(c => char.IsControl(c) ? '?'
            : c));
}
