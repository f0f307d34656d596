using System.Reflection;
using Kintsugi.State;
using Microsoft.Extensions.Hosting;

namespace Kintsugi.Hosting;

/// <summary>
/// One of the nodes leads: it keeps the timetable, hands out repairs and reads what people asked for. The others run what Quartz gives them, and
/// follow when it was silent for a lease.
/// </summary>
internal sealed class Leadership(ServiceState state, ConfigurationSource configuration, ServiceBook book, TimeProvider clock) : IHostedService
{
    private const string Lead = "lead";

    /// <summary>A node that lives is heard of more often than this.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);

    private readonly DateTimeOffset began = clock.GetUtcNow();
    private volatile bool leads = !state.IsShared;

    public bool Leads => leads;

    public string Node => state.Node;

    public bool IsAlone => !state.IsShared;

    /// <summary>The time on which all nodes agree: that of the server under the books.</summary>
    public DateTimeOffset Now => state.Nodes.Now(clock);

    /// <summary>The nodes that were heard of within a lease.</summary>
    public IReadOnlyList<WorkingNode> Nodes => state.Nodes.Seen(Now - state.Lease);

    /// <summary>Says that this node is there, lengthens what it holds, and leads if nobody does.</summary>
    /// <returns>Whether something has changed that calls for a round at once: it leads now, or another node is gone.</returns>
    public bool Beat()
    {
        var now = Now;
        state.Nodes.Greet(new WorkingNode(Node, configuration.Sum, Version(), began, now));
        state.Nodes.Renew(Node, now, now + state.Lease);
        var before = leads;
        leads = state.Nodes.Hold(Lead, Node, now, now + state.Lease) is not null;
        var lost = leads ? state.Nodes.EndLost(now - state.Lease, Node, began, now) : 0;
        return (leads && !before) || lost > 0;
    }

    /// <summary>Takes the patient for this node, waiting for one that may just have died.</summary>
    /// <returns>Null while another node is at work there.</returns>
    public async ValueTask<PatientTurn?> Take(string patient, CancellationToken cancellationToken)
    {
        var lease = $"patient:{patient}";
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500), clock);
        for (var begun = clock.GetTimestamp(); ;)
        {
            var now = Now;
            if (state.Nodes.Hold(lease, Node, now, now + state.Lease) is { } number)
                return new PatientTurn(state.Nodes, lease, number);
            if (clock.GetElapsedTime(begun) > state.Lease * 1.5)
                return null;
            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }

    /// <summary>Leaves word for the node that leads.</summary>
    public void Tell(string verb, string? argument = null) => book.Ask(new JobRequest(verb, JobNames.Repair, null, argument, Node, clock.GetUtcNow()));

    /// <exception cref="StateException">Another node bears this one's name.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // Either this node's earlier life, which says nothing any more, or another machine of the same name.
        if (state.IsShared && Namesake() is { } before)
        {
            await Task.Delay(Silence, clock, cancellationToken);
            if (Namesake() is { } after && after.Seen > before.Seen)
                throw new StateException($"another node of this ledger is called {Node} too (since {after.Started:u}): nodes are told apart by the machine's name "
                    + "and the state directory; change one of them");
        }
        Beat();
    }

    private WorkingNode? Namesake() => Nodes.FirstOrDefault(node => node.Name == Node);

    /// <summary>The others need not wait for the lease to end.</summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        state.Nodes.Leave(Node);
        return Task.CompletedTask;
    }

    private static string Version() => typeof(Leadership).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}

/// <summary>A node's turn at a patient; its number is worth nothing any more once another node has had one.</summary>
internal sealed class PatientTurn(NodeBook nodes, string lease, long number) : IDisposable
{
    /// <exception cref="TurnLostException">Another node has had one since.</exception>
    public void MustBeOurs()
    {
        if (!nodes.IsHeld(lease, number))
            throw new TurnLostException();
    }

    public void Dispose() => nodes.Release(lease, number);
}
