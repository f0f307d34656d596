namespace Kintsugi.Hosting;

/// <summary>The one client for calls to receivers: a host's own HttpClient is none of our business. Nobody is waited for longer than ten seconds;
/// no redirect is followed, for it would turn the message into a question without a body.</summary>
internal sealed class OutsideWorld : IDisposable
{
    public HttpClient Http { get; } = new(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = TimeSpan.FromSeconds(10) };

    public void Dispose() => Http.Dispose();
}
