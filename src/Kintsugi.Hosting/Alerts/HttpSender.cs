using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Kintsugi.Configuration;

namespace Kintsugi.Hosting;

/// <summary>Webhook, Slack, PagerDuty and Alertmanager: each its own words over HTTP.</summary>
internal sealed class HttpSender(OutsideWorld outside, TimeProvider clock) : IAlertSender
{
    private static readonly Uri PagerDutyEvents = new("https://events.pagerduty.com/v2/enqueue");

    /// <summary>Alertmanager resolves by itself what is not said again: until this, an alert of ours stands by being resolved.</summary>
    private static readonly TimeSpan Standing = TimeSpan.FromDays(365);

    public bool Serves(Receiver receiver) => receiver is Receiver.Webhook or Receiver.Slack or Receiver.PagerDuty or Receiver.Alertmanager;

    public async ValueTask Send(Receiver receiver, Alert alert, CancellationToken cancellationToken)
    {
        // An incident is something that ends: what is only to be known opens none.
        if (receiver is Receiver.PagerDuty && alert.State == Alert.NoticeState)
            return;
        using var request = receiver switch
        {
            Receiver.Webhook webhook => Signed(webhook, alert.ToJson()),
            Receiver.Slack slack => Json(new Uri(slack.Url.Reveal()), new JsonObject { ["text"] = alert.Sentence }),
            Receiver.PagerDuty pager => Json(PagerDutyEvents, PagerDuty(pager, alert)),
            Receiver.Alertmanager manager => Json(new Uri($"{manager.Url.ToString().TrimEnd('/')}/api/v2/alerts"), Alertmanager(alert)),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        try
        {
            using var answer = await outside.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (!answer.IsSuccessStatusCode)
                throw new AlertRefusedException($"HTTP {(int)answer.StatusCode}", IsForGood(answer.StatusCode));
        }
        catch (Exception problem) when (problem is HttpRequestException || (problem is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // The URL is a secret for some receivers; messages of sockets name the host at most.
            throw new AlertRefusedException(problem is TaskCanceledException ? "it did not answer in time" : Reason(problem), false, problem);
        }
    }

    private static string Reason(Exception problem) => (problem as HttpRequestException)?.HttpRequestError.ToString() ?? problem.GetType().Name;

    private static bool IsForGood(HttpStatusCode status) =>
        status is HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.UnprocessableEntity;

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

    internal static JsonObject PagerDuty(Receiver.PagerDuty pager, Alert alert) => new()
    {
        ["routing_key"] = pager.RoutingKey.Reveal(),
        ["event_action"] = alert.State == Alert.Resolved ? "resolve" : "trigger",
        ["dedup_key"] = $"kintsugi:{alert.Key}",
        ["payload"] = new JsonObject
        {
            ["summary"] = alert.Text, ["source"] = alert.Target, ["severity"] = alert.Severity.ToString().ToLowerInvariant(),
            ["timestamp"] = alert.At.ToString("O"),
        },
    };

    internal static JsonArray Alertmanager(Alert alert) =>
    [
        new JsonObject
        {
            ["labels"] = new JsonObject
            {
                ["alertname"] = "Kintsugi", ["key"] = alert.Key, ["severity"] = alert.Severity.ToString().ToLowerInvariant(), ["target"] = alert.Target,
            },
            ["annotations"] = new JsonObject { ["summary"] = alert.Text },
            ["endsAt"] = (alert.State switch
            {
                Alert.Firing => alert.At + Standing,
                Alert.Resolved => alert.At,
                _ => alert.At + TimeSpan.FromMinutes(5),
            }).ToString("O"),
        },
    ];
}
