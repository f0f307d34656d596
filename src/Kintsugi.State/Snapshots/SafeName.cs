namespace Kintsugi.State;

/// <summary>Names inside a snapshot stay inside it: a manifest is a file that somebody could have altered.</summary>
internal static class SafeName
{
    /// <summary>The data directory in which that path lies (PG_VERSION marks one), or null.</summary>
    public static string? ClusterAround(string path)
    {
        for (var above = Path.GetFullPath(path); above is not null; above = Path.GetDirectoryName(above))
            if (File.Exists(Path.Combine(above, "PG_VERSION")))
                return above;
        return null;
    }

    /// <exception cref="StateException">The name leads out of the directory.</exception>
    public static string Join(string directory, string name)
    {
        var root = Path.GetFullPath(directory);
        var path = Path.GetFullPath(Path.Combine(root, name));
        return path.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal) && !Path.IsPathRooted(name)
            ? path
            : throw new StateException($"the name {name} leads out of {directory}: this snapshot was altered; do not use it");
    }
}
