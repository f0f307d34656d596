using Kintsugi.Configuration;
using Kintsugi.Hosting;

namespace Kintsugi.Server;

/// <summary>kintsugi alerts test: a message to every receiver, and what each of them said.</summary>
internal static class AlertsTest
{
    /// <returns>1 when a receiver did not take it.</returns>
    public static async Task<int> Run(IServiceProvider services, CancellationToken cancellationToken)
    {
        var receivers = services.GetRequiredService<ConfigurationSource>().Current.Alerts.Receivers;
        if (receivers.Count == 0)
        {
            await Console.Error.WriteLineAsync("kintsugi: no receiver is configured: alerts: { receivers: [ { name: ops, webhook: … } ] }");
            return 1;
        }
        var senders = services.GetServices<IAlertSender>().ToList();
        var now = services.GetRequiredService<TimeProvider>().GetUtcNow();
        var alert = new Alert($"test:{now.ToUnixTimeSeconds()}", Alert.Test, Severity.Info, "test", "this is a test of Kintsugi's alerts", null, now);
        var failed = 0;
        foreach (var receiver in receivers)
        {
            var said = await Say(receiver, senders.Find(sender => sender.Serves(receiver)), alert, cancellationToken);
            failed += said is null ? 0 : 1;
            Console.WriteLine($"{receiver.Name}: {said ?? (receiver is Receiver.Log ? "alerts are in Kintsugi's own log" : "taken")}");
        }
        return failed == 0 ? 0 : 1;
    }

    private static async ValueTask<string?> Say(Receiver receiver, IAlertSender? sender, Alert alert, CancellationToken cancellationToken)
    {
        if (receiver is Receiver.Log)
            return null;
        if (sender is null)
            return "no sender for such a receiver is installed";
        try
        {
            await sender.Send(receiver, alert, cancellationToken);
            // An incident that was opened for a test is closed again.
            if (receiver is Receiver.PagerDuty)
                await sender.Send(receiver, alert with { State = Alert.Resolved }, cancellationToken);
            return null;
        }
        catch (AlertRefusedException problem)
        {
            return $"not taken: {problem.Message}";
        }
    }
}
