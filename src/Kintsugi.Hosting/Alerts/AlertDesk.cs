using System.Text.Json.Nodes;
using Kintsugi.Configuration;
using Kintsugi.State;
using Microsoft.Extensions.Logging;

namespace Kintsugi.Hosting;

/// <summary>Says a thing once in each state; what is said waits in the outbox until its receiver has taken it.</summary>
public sealed class AlertDesk(ServiceBook book, ConfigurationSource configuration, TimeProvider clock, ILogger<AlertDesk> log)
{
    public bool Raise(string key, Severity severity, string target, string text, string? caseId) => Say(key, "firing", severity, target, text, caseId);

    public bool Resolve(string key, Severity severity, string target, string text) => Say(key, "resolved", severity, target, text, null);

    public IReadOnlyList<string> Firing(string prefix) => book.Firing(prefix);

    /// <summary>Something to know that does not go on.</summary>
    public bool Notice(Severity severity, string target, string text) =>
        Say($"notice:{Guid.NewGuid():N}", "notice", severity, target, text, null);

    private bool Say(string key, string state, Severity severity, string target, string text, string? caseId)
    {
        var now = clock.GetUtcNow();
        var body = new JsonObject
        {
            ["format"] = "kintsugi.alert/1", ["key"] = key, ["state"] = state, ["severity"] = severity.ToString().ToLowerInvariant(),
            ["target"] = target, ["text"] = text, ["case"] = caseId, ["at"] = now.ToString("O"),
        }.ToJsonString();
        var told = configuration.Current.Alerts.Receivers.Where(receiver => severity >= receiver.Least)
            .Select(receiver => (receiver.Name, body)).ToList();
        if (!book.Alert(key, state, told, now))
            return false;
        Log.Alerted(log, key, state, text);
        return true;
    }
}
