namespace Kintsugi.Cli;

/// <summary>What scripts and monitors rely on.</summary>
internal static class ExitCodes
{
    public const int Sound = 0;

    /// <summary>Kintsugi itself could not run: connection, usage, configuration.</summary>
    public const int CouldNotRun = 1;

    /// <summary>Damage found; after heal: damage left.</summary>
    public const int Damage = 2;

    /// <summary>No damage found, but not everything could be examined.</summary>
    public const int Unchecked = 3;
    public const int Interrupted = 130;
}
