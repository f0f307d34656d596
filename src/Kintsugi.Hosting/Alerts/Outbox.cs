using Kintsugi.Configuration;
using Kintsugi.State;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Kintsugi.Hosting;

/// <summary>Delivers what waits. A receiver that hangs or is away costs nobody else anything: its messages come again, ever later.</summary>
internal sealed class Outbox(
    AlertBook book, ConfigurationSource configuration, IEnumerable<IAlertSender> senders, TimeProvider clock, ILogger<Outbox> log)
    : BackgroundService
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    /// <summary>Nobody wants to hear in two weeks what was wrong today.</summary>
    private static readonly TimeSpan Stale = TimeSpan.FromDays(7);

    /// <summary>Longer than any sender waits: whoever has a message in hand and is killed leaves it to the next after this.</summary>
    private static readonly TimeSpan InHand = TimeSpan.FromSeconds(40);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var deliveries = new List<Task>();
        using var timer = new PeriodicTimer(Beat, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                deliveries.RemoveAll(delivery => delivery.IsCompletedSuccessfully);
                deliveries.AddRange(Take(null).Select(message => Deliver(message, stoppingToken)));
            }
        }
        finally
        {
            await Task.WhenAll(deliveries);
        }
    }

    private IReadOnlyList<Message> Take(string? receiver)
    {
        try
        {
            var now = clock.GetUtcNow();
            return book.Take(receiver, now, now + InHand);
        }
        catch (StateException problem)
        {
            Log.BeatMissed(log, problem);
            return [];
        }
    }

    /// <summary>This message, and those behind it for as long as the receiver takes them.</summary>
    private async Task Deliver(Message first, CancellationToken cancellationToken)
    {
        await Task.Yield();
        try
        {
            for (var message = first; message is not null && await Deliver(message, first.Receiver, cancellationToken);
                message = Take(first.Receiver) is [var next] ? next : null)
                cancellationToken.ThrowIfCancellationRequested();
        }
        catch (Exception problem) when (problem is StateException or OperationCanceledException)
        {
            if (!cancellationToken.IsCancellationRequested)
                Log.BeatMissed(log, problem);
        }
    }

    private async ValueTask<bool> Deliver(Message message, string name, CancellationToken cancellationToken)
    {
        var receiver = configuration.Current.Alerts.Receivers.FirstOrDefault(receiver => receiver.Name == name);
        try
        {
            // A receiver that the owner took out, and the log, which has it already, take everything.
            if (receiver is not (null or Receiver.Log))
                await Hand(receiver, Alert.Read(message.Body), cancellationToken);
        }
        catch (AlertRefusedException problem) when (!problem.ForGood && clock.GetUtcNow() - message.At < Stale)
        {
            Log.NotDelivered(log, name, message.Attempts + 1, problem.Message);
            var wait = TimeSpan.FromSeconds(Math.Min(3600, 2 * Math.Pow(2, Math.Min(message.Attempts, 11))));
            book.Postpone(message.Id, clock.GetUtcNow() + wait, problem.Message);
            return false;
        }
        catch (AlertRefusedException problem)
        {
            Log.GivenUp(log, name, problem.Message, message.Body);
        }
        book.Sent(message.Id);
        return true;
    }

    /// <summary>Whatever a sender throws is a message that was not taken: nobody else's queue, nor its own, may stop at it.</summary>
    private async ValueTask Hand(Receiver receiver, Alert alert, CancellationToken cancellationToken)
    {
        try
        {
            await Sender(receiver).Send(receiver, alert, cancellationToken);
        }
        catch (Exception problem) when (problem is not (AlertRefusedException or OperationCanceledException or StateException))
        {
            throw new AlertRefusedException($"{receiver.Name}: {problem.GetType().Name}", forGood: false, problem);
        }
    }

    private IAlertSender Sender(Receiver receiver) => senders.FirstOrDefault(sender => sender.Serves(receiver))
        ?? throw new AlertRefusedException($"no sender for a receiver of this kind is installed ({receiver.GetType().Name})", forGood: false);
}
