namespace Kintsugi.Web;

/// <summary>How Kintsugi's pages may be used.</summary>
public sealed record KintsugiWebOptions
{
    /// <summary>Lets programs of this machine read without a key while none is configured. Not for an application behind a proxy: there everybody
    /// seems to come from this machine.</summary>
    public bool ReadsFromLoopback { get; init; }

    /// <summary>Of each caller, on average.</summary>
    public int RequestsPerSecond { get; init; } = 20;

    /// <summary>Of each caller at once.</summary>
    public int Burst { get; init; } = 100;

    /// <summary>Wrong keys from one address at once; after that one every ten seconds.</summary>
    public int WrongKeys { get; init; } = 10;

    /// <summary>Bytes of a request's body.</summary>
    public int LargestBody { get; init; } = 64 * 1024;
}
