namespace Kintsugi;

/// <summary>Where things lie in a snapshot.</summary>
public static class SnapshotLayout
{
    /// <summary>Files by their paths below the data directory.</summary>
    public const string Data = "data";

    /// <summary>Contents of tablespaces, one directory for each OID.</summary>
    public const string Tablespaces = "tablespaces";

    /// <summary>Configuration files that lay outside the data directory.</summary>
    public const string Configuration = "configuration";
}
