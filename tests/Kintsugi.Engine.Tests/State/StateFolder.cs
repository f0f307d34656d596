using Kintsugi.State;

namespace Kintsugi.Engine.Tests.State;

/// <summary>A state directory for one test.</summary>
public sealed class StateFolder : IDisposable
{
    public const string Server = "7312000000000000001";
    public static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    public StateFolder()
    {
        Path = Directory.CreateTempSubdirectory("kintsugi-state-").FullName;
        Directory.Delete(Path);
        State = StateDirectory.Open(Path);
    }

    public string Path { get; }
    public StateDirectory State { get; }

    public SqliteLedger Open() => SqliteLedger.Open(State);

    public static Fact Found(string id, DateTimeOffset? at = null) => new(id, Server, Facts.Found, "an index lost its order",
        Facts.Data(("fault", "index-corrupt"), ("cause", "an index lost its order"), ("database", "app"),
            ("object", "public.we;ird\"name")),
        at ?? Noon);

    public static Fact Of(string id, string kind, params ReadOnlySpan<(string Name, string? Value)> data) =>
        new(id, Server, kind, kind, Facts.Data(data), Noon);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
