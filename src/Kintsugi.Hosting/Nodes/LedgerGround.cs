using Kintsugi.State;
using Microsoft.Extensions.Hosting;

namespace Kintsugi.Hosting;

/// <summary>No start while the ledger lies on a server that is under care: it would be lost with what it tells of, and some repairs stop that server.</summary>
internal sealed class LedgerGround(ServiceState state, TargetBoard board) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!state.IsShared)
            return;
        var looks = await Task.WhenAll(board.All.Select(target => WhyNot(target.Name, cancellationToken)));
        if (looks.OfType<string>().FirstOrDefault() is { } refusal)
            throw new StateException(refusal);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <returns>Null for a target that is sound ground, or away: it is asked again whenever it is entered.</returns>
    private async Task<string?> WhyNot(string target, CancellationToken cancellationToken)
    {
        try
        {
            await (await board.Enter(target, cancellationToken)).DisposeAsync();
            return null;
        }
        catch (PatientException problem)
        {
            // What is only away the board has, and each look tells it again; the other targets go on.
            return board.All.Any(status => status.Name == target && status.SystemIdentifier == state.SystemIdentifier) ? problem.Message : null;
        }
    }
}
