using System.Collections.Concurrent;

namespace Kintsugi.Hosting;

/// <summary>The heavy looks at one server come one after the other, over all nodes: each may then have all the sessions that a look is allowed.</summary>
internal sealed class LookTurns(ServiceState state, TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, SemaphoreSlim> gates = new();
    private readonly State.NodeBook nodes = state.Nodes;
    private int held;

    /// <summary>A look of this node is at work.</summary>
    public bool IsBusy => Volatile.Read(ref held) > 0;

    /// <summary>Waits for the turn, which is held until it is disposed.</summary>
    public async ValueTask<IDisposable> Wait(string target, CancellationToken cancellationToken)
    {
        var gate = gates.GetOrAdd(target, _ => new SemaphoreSlim(1));
        await gate.WaitAsync(cancellationToken);
        try
        {
            var lease = $"look:{target}";
            long? number = null;
            while (state.IsShared && (number = Hold(lease)) is null)
                await Task.Delay(TimeSpan.FromSeconds(1), clock, cancellationToken);
            Interlocked.Increment(ref held);
            return new Turn(this, gate, lease, number);
        }
        catch
        {
            gate.Release();
            throw;
        }
    }

    private long? Hold(string lease)
    {
        var now = nodes.Now(clock);
        return nodes.Hold(lease, state.Node, now, now + state.Lease);
    }

    private sealed class Turn(LookTurns turns, SemaphoreSlim gate, string lease, long? number) : IDisposable
    {
        public void Dispose()
        {
            Interlocked.Decrement(ref turns.held);
            try
            {
                if (number is { } held)
                    turns.nodes.Release(lease, held);
            }
            finally
            {
                gate.Release();
            }
        }
    }
}
