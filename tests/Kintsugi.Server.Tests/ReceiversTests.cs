using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Kintsugi.Configuration;
using Kintsugi.Hosting;

namespace Kintsugi.Server.Tests;

/// <summary>Each kind of receiver gets its own words.</summary>
public sealed class ReceiversTests
{
    private static readonly Alert Firing = new(
        "case:abc", Alert.Firing, Severity.Critical, "main", "public.movies_pkey is damaged", "abc", new DateTimeOffset(2026, 11, 26, 0, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task Alerts_test_says_what_became_of_each_message()
    {
        using var hook = new WebhookReceiver();
        await using var mail = new MailServer();
        await using var service = new Service();
        service.Write($$"""
            alerts:
              receivers:
                - { name: hook, webhook: "{{hook.Url}}", secret: "s3cret" }
                - { name: chat, slack: "{{hook.Url}}slack" }
                - { name: prometheus, alertmanager: "{{hook.Url}}" }
                - { name: post, email: { to: [ops@example.org], from: kintsugi@example.org, server: "127.0.0.1:{{mail.Port}}" } }
                - { name: own, log: true }

            """);
        var all = await service.Run("alerts", "test", "-c", service.ConfigurationFile);
        Assert.Equal(0, all.Code);
        Assert.Equal(["hook: taken", "chat: taken", "prometheus: taken", "post: taken", "own: alerts are in Kintsugi's own log"],
            all.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        var bodies = hook.Taken.Select(taken => JsonDocument.Parse(taken.Body).RootElement).ToList();
        Assert.Equal("kintsugi.alert/1", bodies[0].GetProperty("format").GetString());
        Assert.Contains("test of Kintsugi", bodies[1].GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Equal("Kintsugi", bodies[2][0].GetProperty("labels").GetProperty("alertname").GetString());
        Assert.Contains("Subject: Kintsugi: [info] test", await mail.Mail.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken), StringComparison.Ordinal);

        service.Write($$"""
            alerts: { receivers: [ { name: nobody, webhook: "http://127.0.0.1:{{WebhookReceiver.FreePort()}}/s3cret-path" } ] }

            """);
        var one = await service.Run("alerts", "test", "-c", service.ConfigurationFile);
        Assert.Equal(1, one.Code);
        Assert.Contains("nobody: not taken", one.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", one.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void An_incident_of_PagerDuty_is_opened_and_resolved_under_one_key()
    {
        var receiver = new Receiver.PagerDuty("duty", Severity.Info, new Secret("key"));
        var (open, closed) = (HttpSender.PagerDuty(receiver, Firing), HttpSender.PagerDuty(receiver, Firing with { State = Alert.Resolved }));
        Assert.Equal(("trigger", "resolve"), ((string)open["event_action"]!, (string)closed["event_action"]!));
        Assert.Equal((string)open["dedup_key"]!, (string)closed["dedup_key"]!);
        Assert.Equal("critical", (string)open["payload"]!["severity"]!);
    }

    [Fact]
    public void An_alert_stands_in_Alertmanager_until_it_is_resolved()
    {
        var (open, closed) = (HttpSender.Alertmanager(Firing)[0]!, HttpSender.Alertmanager(Firing with { State = Alert.Resolved })[0]!);
        Assert.Equal(open["labels"]!.ToJsonString(), closed["labels"]!.ToJsonString());
        Assert.True(DateTimeOffset.Parse((string)open["endsAt"]!, null) > Firing.At.AddDays(30));
        Assert.Equal(Firing.At, DateTimeOffset.Parse((string)closed["endsAt"]!, null));
    }

    [Fact]
    public void What_a_receiver_is_told_can_be_read_back() => Assert.Equal(Firing, Alert.Read(Firing.ToJson()));

    /// <summary>As much of SMTP as one mail needs.</summary>
    private sealed class MailServer : IAsyncDisposable
    {
        private readonly TcpListener listener = new(IPAddress.Loopback, 0);

        public MailServer()
        {
            listener.Start();
            Port = ((IPEndPoint)listener.LocalEndpoint).Port;
            Mail = Take();
        }

        public int Port { get; }
        public Task<string> Mail { get; }

        public ValueTask DisposeAsync()
        {
            listener.Stop();
            return ValueTask.CompletedTask;
        }

        private async Task<string> Take()
        {
            using var client = await listener.AcceptTcpClientAsync();
            await using var stream = client.GetStream();
            using var reader = new StreamReader(stream);
            await using var writer = new StreamWriter(stream) { NewLine = "\r\n", AutoFlush = true };
            await writer.WriteLineAsync("220 ready");
            while (await reader.ReadLineAsync() is { } line && line != "DATA")
                await writer.WriteLineAsync("250 ok");
            await writer.WriteLineAsync("354 go on");
            var mail = new List<string>();
            while (await reader.ReadLineAsync() is { } line && line != ".")
                mail.Add(line);
            await writer.WriteLineAsync("250 taken");
            await reader.ReadLineAsync();
            await writer.WriteLineAsync("221 bye");
            return string.Join('\n', mail);
        }
    }
}
