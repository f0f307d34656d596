using Kintsugi.State;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Kintsugi.Hosting;

/// <summary>An idle node takes units of looks that other nodes lead, one at a time. What goes wrong here goes back to the node that leads.</summary>
internal sealed class Helping(
    TargetBoard board, ConfigurationSource configuration, ServiceState state, LookTurns turns, KintsugiMeter meter, TimeProvider clock, ILogger<Helping> log)
    : BackgroundService
{
    private static readonly TimeSpan Often = TimeSpan.FromSeconds(1);

    /// <summary>A look whose target cannot be entered from here is left to the others for a while.</summary>
    private static readonly TimeSpan Shunned = TimeSpan.FromMinutes(5);

    private readonly UnitHelp help = new(state.Books, state.Node);
    private readonly Dictionary<OpenLook, long> shunned = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!state.IsShared)
            return;
        using var timer = new PeriodicTimer(Often, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await Help(stoppingToken);
            }
            catch (Exception problem) when (problem is not OperationCanceledException)
            {
                // Helping must not end the service; a unit that is in hand is free again when its time is over.
                Log.HelpMissed(log, problem);
            }
        }
    }

    private async ValueTask Help(CancellationToken cancellationToken)
    {
        Visit? visit = null;
        try
        {
            while (Claim() is { } claim)
            {
                if (visit?.Suits(claim) == false)
                {
                    await visit.DisposeAsync();
                    visit = null;
                }
                visit ??= await Enter(claim, cancellationToken);
                if (visit is not null)
                    await Do(claim, visit, cancellationToken);
            }
        }
        finally
        {
            if (visit is not null)
                await visit.DisposeAsync();
        }
    }

    private UnitClaim? Claim()
    {
        // A node that leads a look of its own has enough to do.
        if (turns.IsBusy)
            return null;
        var now = state.Nodes.Now(clock);
        foreach (var look in help.Looks(now).Where(MayShare))
            if (help.Take(look, now, now + state.Lease) is { } claim)
                return claim;
        return null;
    }

    private bool MayShare(OpenLook look) => configuration.Current.Targets.Any(target => target.Name == look.Target)
        && !(shunned.TryGetValue(look, out var since) && clock.GetElapsedTime(since) < Shunned)
        && look.Fingerprint == Likeness.Fingerprint(board.RegistryOf(look.Target), configuration);

    private async ValueTask<Visit?> Enter(UnitClaim claim, CancellationToken cancellationToken)
    {
        Visit? visit = null;
        try
        {
            visit = await Visit.Begin(claim, board, clock, cancellationToken);
        }
        catch (PatientException problem)
        {
            Log.NoHelp(log, claim.Look.Target, problem.Message);
        }
        finally
        {
            if (visit is null)
            {
                shunned[claim.Look] = clock.GetTimestamp();
                help.GiveBack(claim, toLeader: false);
            }
        }
        return visit;
    }

    private async ValueTask Do(UnitClaim claim, Visit visit, CancellationToken cancellationToken)
    {
        using var held = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var renewal = clock.CreateTimer(_ => Renew(claim, held), null, state.Lease / 3, state.Lease / 3);
        try
        {
            var answer = await visit.Examine(claim, patient => Begin(claim, patient, held.Token), held.Token);
            if (answer is null)
                help.GiveBack(claim, toLeader: true);
            else if (help.Answer(claim, UnitAnswerJson.Write(answer), state.Nodes.Now(clock)))
                meter.Helped();
        }
        catch (PatientException problem)
        {
            Log.NoHelp(log, claim.Look.Target, problem.Message);
            shunned[claim.Look] = clock.GetTimestamp();
            help.GiveBack(claim, toLeader: false);
        }
        catch (Exception problem) when (problem is not (OperationCanceledException or StateException))
        {
            // Whatever a check stumbled over: the node that leads the look meets it itself, and its run says so.
            Log.HelpMissed(log, problem);
            help.GiveBack(claim, toLeader: true);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            Log.HelpNotWanted(log, claim.Look.Target, claim.Check);
        }
        catch (OperationCanceledException)
        {
            help.GiveBack(claim, toLeader: false);
            throw;
        }
    }

    private async ValueTask Begin(UnitClaim claim, Patient patient, CancellationToken cancellationToken)
    {
        await Backend.AwaitEnd(claim.Left, patient.Session, clock, cancellationToken);
        if (!help.Begin(claim, await Backend.Of(patient.Session, cancellationToken)))
            throw new OperationCanceledException("the unit is not this node's any more");
    }

    private void Renew(UnitClaim claim, CancellationTokenSource held)
    {
        try
        {
            if (!help.Renew(claim, state.Nodes.Now(clock) + state.Lease))
                held.Cancel();
        }
        catch (StateException problem)
        {
            // It may be back before the claim ends; if not, the answer is dropped.
            Log.HelpMissed(log, problem);
        }
        catch (ObjectDisposedException)
        {
            // It was answered while this was on its way.
        }
    }
}
