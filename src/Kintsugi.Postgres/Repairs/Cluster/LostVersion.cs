using System.Globalization;
using System.Text;
using Kintsugi.Postgres.Files.Offline;

namespace Kintsugi.Postgres.Repairs.Cluster;

/// <summary>PG_VERSION says the major and nothing else, and the control file's catalog version tells it under a checksum.</summary>
internal static class LostVersion
{
    public static ClusterMend Tell(DataDirectory directory)
    {
        if (directory.IsControlTrusted)
            return Of(directory.Major, "the control file, whose checksum is right, names the catalogs of that major");
        var others = directory.Files.List("base").Where(entry => entry.EndsWith('/')).Select(entry => $"base/{entry}PG_VERSION").Append("PG_VERSION")
            .Where(directory.Files.Exists).Select(file => File.ReadAllText(Path.Combine(directory.Path, file)).Trim()).Distinct().ToList();
        if (WalRemains.MajorOf(directory.Path) == directory.Major && others.All(other => other == directory.Major.ToString(CultureInfo.InvariantCulture)))
            return Of(directory.Major, "the WAL has the format of that major, and no other PG_VERSION contradicts it");
        return others.Count == 1 && others[0] == directory.Major.ToString(CultureInfo.InvariantCulture)
            ? Of(directory.Major, "every other PG_VERSION of the cluster says so")
            : new ClusterMend.Unknown($"neither the control file nor the other PG_VERSION files ({string.Join(", ", others)}) tell the version without doubt. "
                + $"Where you know it: echo MAJOR > PG_VERSION, as the server's user; the wrong number keeps the server from starting and loses nothing");
    }

    private static ClusterMend.Content Of(int major, string why) =>
        new(Encoding.ASCII.GetBytes(major.ToString(CultureInfo.InvariantCulture) + "\n"), why);
}
