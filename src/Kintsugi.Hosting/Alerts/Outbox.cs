using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Kintsugi.Configuration;
using Kintsugi.State;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Kintsugi.Hosting;

/// <summary>Delivers what waits. A receiver that hangs or is away costs nobody else anything: its messages come again, ever later.</summary>
internal sealed class Outbox(ServiceBook book, ConfigurationSource configuration, TimeProvider clock, ILogger<Outbox> log) : BackgroundService
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly HttpClient http = new() { Timeout = Patience };

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await Task.WhenAll(book.Due(clock.GetUtcNow()).GroupBy(message => message.Receiver)
                    .Select(group => Deliver(group.Key, [.. group], stoppingToken)));
            }
            catch (DbException problem)
            {
                Log.BeatMissed(log, problem);
            }
        }
    }

    public override void Dispose()
    {
        http.Dispose();
        base.Dispose();
    }

    private async Task Deliver(string name, IReadOnlyList<Message> messages, CancellationToken cancellationToken)
    {
        var receiver = configuration.Current.Alerts.Receivers.FirstOrDefault(receiver => receiver.Name == name);
        foreach (var message in messages)
        {
            try
            {
                if (receiver is not (null or Receiver.Log))
                    await Post(receiver, message.Body, cancellationToken);
                book.Sent(message.Id);
            }
            catch (Exception problem) when (problem is HttpRequestException or TaskCanceledException or NotSupportedException
                && !cancellationToken.IsCancellationRequested)
            {
                Log.NotDelivered(log, name, message.Attempts + 1, problem.GetType().Name);
                var wait = TimeSpan.FromSeconds(Math.Min(3600, 2 * Math.Pow(2, Math.Min(message.Attempts, 11))));
                book.Postpone(message.Id, clock.GetUtcNow() + wait, problem.GetType().Name);
                return; // in order: what follows waits behind it
            }
        }
    }

    private async Task Post(Receiver receiver, string body, CancellationToken cancellationToken)
    {
        using var request = receiver switch
        {
            Receiver.Webhook webhook => Signed(webhook, body),
            Receiver.Slack slack => Json(new Uri(slack.Url.Reveal()), new JsonObject { ["text"] = Sentence(body) }),
            Receiver.PagerDuty pager => Json(new Uri("https://events.pagerduty.com/v2/enqueue"), PagerDuty(pager, JsonNode.Parse(body)!)),
            Receiver.Alertmanager manager => Json(new Uri(manager.Url, "/api/v2/alerts"), Alertmanager(JsonNode.Parse(body)!)),
            _ => throw new NotSupportedException($"no sender for receiver {receiver.Name} is installed"),
        };
        using var answer = await http.SendAsync(request, cancellationToken);
        answer.EnsureSuccessStatusCode();
    }

    private HttpRequestMessage Signed(Receiver.Webhook webhook, string body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, webhook.Url.Reveal()) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        var at = clock.GetUtcNow().ToUnixTimeSeconds().ToString();
        request.Headers.Add("X-Kintsugi-Timestamp", at);
        if (webhook.Secret is { } secret)
            request.Headers.Add("X-Kintsugi-Signature", "sha256=" + Convert.ToHexStringLower(
                HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret.Reveal()), Encoding.UTF8.GetBytes($"{at}.{body}"))));
        return request;
    }

    private static HttpRequestMessage Json(Uri url, JsonNode body) =>
        new(HttpMethod.Post, url) { Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json") };

    private static string Sentence(string body) =>
        JsonNode.Parse(body) is { } alert ? $"[{alert["severity"]}] {alert["state"]}: {alert["target"]}: {alert["text"]}" : body;

    private static JsonObject PagerDuty(Receiver.PagerDuty pager, JsonNode alert) => new()
    {
        ["routing_key"] = pager.RoutingKey.Reveal(),
        ["event_action"] = (string?)alert["state"] == "resolved" ? "resolve" : "trigger",
        ["dedup_key"] = $"kintsugi:{alert["key"]}",
        ["payload"] = new JsonObject
        {
            ["summary"] = (string?)alert["text"], ["source"] = (string?)alert["target"], ["severity"] = (string?)alert["severity"],
        },
    };

    private static JsonArray Alertmanager(JsonNode alert) =>
    [
        new JsonObject
        {
            ["labels"] = new JsonObject
            {
                ["alertname"] = "Kintsugi", ["key"] = (string?)alert["key"], ["severity"] = (string?)alert["severity"],
                ["target"] = (string?)alert["target"],
            },
            ["annotations"] = new JsonObject { ["summary"] = (string?)alert["text"] },
            ["endsAt"] = (string?)alert["state"] == "firing" ? null : (string?)alert["at"],
        },
    ];
}
