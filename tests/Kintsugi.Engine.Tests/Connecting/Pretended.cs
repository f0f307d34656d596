using Kintsugi.Postgres.Connecting;

namespace Kintsugi.Engine.Tests.Connecting;

/// <summary>Surroundings of a test's own making: variables, and files as text.</summary>
internal sealed class Pretended : IConnectionFiles
{
    private readonly Dictionary<string, string> _variables = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _files = new(StringComparer.Ordinal);
    private readonly HashSet<string> _open = new(StringComparer.Ordinal);

    public Pretended Variable(string name, string value)
    {
        _variables[name] = value;
        return this;
    }

    public Pretended File(string path, string text = "", bool openToOthers = false)
    {
        _files[path] = text;
        if (openToOthers)
        {
            _open.Add(path);
        }

        return this;
    }

    public bool Exists(string path) => _files.ContainsKey(path);

    public IReadOnlyList<string>? ReadLines(string path) => _files.TryGetValue(path, out var text) ? text.Split('\n') : null;

    public bool IsOpenToOthers(string path) => _open.Contains(path);

    public ConnectionSettings Resolve(ConnectionRequest request) =>
        ConnectionResolver.Resolve(request, new(_variables.GetValueOrDefault, "ann", "/home/ann", this));

    public ConnectionSettings Resolve(params string[] databases) => Resolve(new ConnectionRequest { Databases = databases });

    public string Refusal(ConnectionRequest request) =>
        Assert.Throws<ConnectionSettingsException>(() => Resolve(request)).Message;

    public string Refusal(params string[] databases) => Refusal(new ConnectionRequest { Databases = databases });
}
