namespace Kintsugi.Hosting;

/// <summary>The one client for calls to receivers: a host's own HttpClient is none of our business. Nobody is waited for longer than ten seconds.</summary>
internal sealed class OutsideWorld : IDisposable
{
    public HttpClient Http { get; } = new() { Timeout = TimeSpan.FromSeconds(10) };

    public void Dispose() => Http.Dispose();
}
