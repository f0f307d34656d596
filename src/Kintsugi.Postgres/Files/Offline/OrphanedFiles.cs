using System.Globalization;

namespace Kintsugi.Postgres.Files.Offline;

/// <summary>Relations by their files alone, for a database whose pg_class cannot be read: nameless, and of unknown
/// kind.</summary>
internal static class OrphanedFiles
{
    public static IEnumerable<Relation> Of(LocalFiles files, string home)
    {
        foreach (var name in files.List(home))
        {
            // Only first segments of main forks: forks and later segments are found from there.
            if (!uint.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var filenode))
                continue;
            yield return new Relation
            {
                Oid = filenode,
                Schema = home,
                Name = name,
                Kind = 'r',
                Filenode = filenode,
                Path = $"{home}/{name}",
                TableOid = filenode,
                TableSchema = home,
                TableName = name,
            };
        }
    }
}
