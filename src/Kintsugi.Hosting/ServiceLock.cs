using Kintsugi.State;
using Microsoft.Extensions.Hosting;

namespace Kintsugi.Hosting;

/// <summary>One service at a time works with a state directory; the kernel frees the lock however the holder ends.</summary>
public sealed class ServiceLock(StateDirectory state) : IHostedService, IDisposable
{
    private FileStream? held;

    /// <exception cref="StateException">Another one holds it.</exception>
    public void Take()
    {
        if (held is not null)
            return;
        try
        {
            held = new FileStream(Path.Combine(state.Path, "service.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException problem)
        {
            throw new StateException($"another kintsugi serve works with the state directory {state.Path}: stop it, or name another with "
                + "$KINTSUGI_STATE", problem);
        }
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        Take();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => held?.Dispose();
}
