using Kintsugi.State;
using Microsoft.Extensions.Logging;

namespace Kintsugi.Hosting;

/// <summary>Says a thing once in each state; what is said waits in the outbox until its receiver has taken it.</summary>
internal sealed class AlertDesk(AlertBook book, ConfigurationSource configuration, TimeProvider clock, ILogger<AlertDesk> log)
{
    public bool Raise(string key, Severity severity, string target, string text, string? caseId) =>
        Say(key, Alert.Firing, severity, target, text, caseId);

    /// <summary>The resolve goes to those who got the alert: its severity is the alert's.</summary>
    public bool Resolve(string key, string target, string text, string? caseId = null) =>
        Say(key, Alert.Resolved, Severity.Info, target, text, caseId);

    public IReadOnlyList<string> Firing(string prefix) => book.Firing(prefix);

    /// <summary>Something to know that does not go on.</summary>
    public void Notice(Severity severity, string target, string text)
    {
        var now = clock.GetUtcNow();
        var alert = new Alert($"notice:{target}:{now.ToUnixTimeSeconds()}", Alert.NoticeState, severity, target, text, null, now);
        foreach (var (receiver, body) in Told(alert))
            book.Post(receiver, body, now);
        Log.Alerted(log, alert.Key, alert.State, text);
    }

    private bool Say(string key, string state, Severity severity, string target, string text, string? caseId)
    {
        var now = clock.GetUtcNow();
        if (!book.Say(key, state, severity, felt => Told(new Alert(key, state, felt, target, text, caseId, now)), now))
            return false;
        Log.Alerted(log, key, state, text);
        return true;
    }

    private List<(string Receiver, string Body)> Told(Alert alert)
    {
        var body = alert.ToJson();
        return [.. configuration.Current.Alerts.Receivers.Where(receiver => alert.Severity >= receiver.Least).Select(receiver => (receiver.Name, body))];
    }
}
