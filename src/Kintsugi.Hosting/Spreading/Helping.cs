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
                while (Claim() is { } claim)
                    await Serve(claim, stoppingToken);
            }
            catch (Exception problem) when (problem is not OperationCanceledException)
            {
                // Helping must not end the service; a unit that is in hand is free again when its time is over.
                Log.HelpMissed(log, problem);
            }
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

    private bool MayShare(OpenLook look) => configuration.Current.Targets.FirstOrDefault(target => target.Name == look.Target) is { } target
        && !(shunned.TryGetValue(look, out var since) && clock.GetElapsedTime(since) < Shunned)
        && look.Fingerprint == Likeness.Fingerprint(board.RegistryFor(target), target.Consistency, configuration.Sum);

    /// <summary>
    /// Does units of one look and database one after the other. What became of the last is said after the session is closed: the seat that it gives up
    /// is taken by another node at once.
    /// </summary>
    private async ValueTask Serve(UnitClaim claim, CancellationToken cancellationToken)
    {
        var ending = GiveBack(claim, toLeader: false);
        try
        {
            await using var visit = await Visit.Begin(claim, board, clock, cancellationToken);
            if (visit is null)
                shunned[claim.Look] = clock.GetTimestamp();
            for (var next = visit is null ? null : claim; next is not null;)
            {
                claim = next;
                ending = GiveBack(claim, toLeader: false);
                var answer = await Examine(claim, visit!, cancellationToken);
                ending = answer is null ? GiveBack(claim, toLeader: true) : Answer(claim, answer);
                next = answer is null ? null : Exchange(claim, answer);
            }
        }
        catch (PatientException problem)
        {
            Log.NoHelp(log, claim.Look.Target, problem.Message);
            shunned[claim.Look] = clock.GetTimestamp();
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            Log.HelpNotWanted(log, claim.Look.Target, claim.Check);
        }
        catch (Exception problem) when (problem is not (OperationCanceledException or StateException))
        {
            // Whatever a check stumbled over: the node that leads the look meets it itself, and its run says so.
            Log.HelpMissed(log, problem);
            ending = GiveBack(claim, toLeader: true);
        }
        finally
        {
            ending();
        }
    }

    private Action GiveBack(UnitClaim claim, bool toLeader) => () => help.GiveBack(claim, toLeader);

    private Action Answer(UnitClaim claim, UnitAnswer answer) => () =>
    {
        if (help.Answer(claim, UnitAnswerJson.Write(answer), state.Nodes.Now(clock)))
            meter.Helped();
    };

    /// <summary>Answers and takes the next unit that the same session can do; nothing is answered where there is none.</summary>
    private UnitClaim? Exchange(UnitClaim claim, UnitAnswer answer)
    {
        if (turns.IsBusy)
            return null;
        var now = state.Nodes.Now(clock);
        var next = help.Exchange(claim, UnitAnswerJson.Write(answer), now, now + state.Lease);
        if (next is not null)
            meter.Helped();
        return next;
    }

    private async ValueTask<UnitAnswer?> Examine(UnitClaim claim, Visit visit, CancellationToken cancellationToken)
    {
        using var held = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var renewal = clock.CreateTimer(_ => Renew(claim, held), null, state.Lease / 3, state.Lease / 3);
        return await visit.Examine(claim, patient => Begin(claim, patient, held.Token), held.Token);
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
