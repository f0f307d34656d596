namespace Kintsugi;

/// <summary>
/// The order in which trust is built: a check may only run on ground that the layers before it have proven,
/// and a repair may only act on evidence that came over proven ground.
/// </summary>
public enum Layer
{
    Server,
    Storage,
    Catalog,
    Heap,
    Index,
    Map,
    Uniqueness,
    Reference,
    Value,
}

/// <summary>How much a scrub may spend: seconds, everything that blocks no writer, or everything.</summary>
public enum Depth
{
    Quick,
    Standard,
    Deep,
}

/// <summary>How bad a finding is for the owner of the data.</summary>
public enum Severity
{
    Info,
    Warning,
    Critical,
}

/// <summary>What a repair may cost: nothing, something that can be put back, or information that ends.</summary>
public enum Grade
{
    /// <summary>Derived data is rebuilt, or the exact page is put back.</summary>
    Lossless,

    /// <summary>Rows or values change; the old ones are kept whole in quarantine with one-command undo.</summary>
    Reversible,

    /// <summary>Information ends. Never without a person's approval and a cluster snapshot.</summary>
    Lossy,
}
