using Kintsugi.Configuration;
using Kintsugi.Hosting;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace Kintsugi.Server;

/// <summary>E-mail receivers. STARTTLS is used where the server offers it, and demanded where a password goes over the line.</summary>
internal sealed class MailSender : IAlertSender
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public bool Serves(Receiver receiver) => receiver is Receiver.Email;

    public async ValueTask Send(Receiver receiver, Alert alert, CancellationToken cancellationToken)
    {
        var settings = ((Receiver.Email)receiver).Settings;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            using var message = Write(settings, alert);
            using var client = new SmtpClient();
            var (host, port) = Place(settings.Server);
            var security = port == 465 ? SecureSocketOptions.SslOnConnect
                : settings.User is null ? SecureSocketOptions.StartTlsWhenAvailable : SecureSocketOptions.StartTls;
            await client.ConnectAsync(host, port, security, limit.Token);
            if (settings is { User: { } user, Password: { } password })
                await client.AuthenticateAsync(user, password.Reveal(), limit.Token);
            await client.SendAsync(message, limit.Token);
            await client.DisconnectAsync(true, limit.Token);
        }
        catch (Exception problem) when (problem is CommandException or ProtocolException or AuthenticationException or SslHandshakeException
            or IOException or System.Net.Sockets.SocketException or NotSupportedException
            or FormatException or InvalidOperationException
            || (problem is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new AlertRefusedException($"{settings.Server}: {problem.GetType().Name}", forGood: false, problem);
        }
    }

    private static MimeMessage Write(EmailSettings settings, Alert alert)
    {
        var message = new MimeMessage { Subject = $"Kintsugi: {alert.Sentence}", Date = alert.At };
        message.From.Add(MailboxAddress.Parse(settings.From));
        foreach (var to in settings.To)
            message.To.Add(MailboxAddress.Parse(to));
        message.Body = new TextPart("plain")
        {
            Text = $"{alert.Sentence}\n\nat {alert.At:O}\n{(alert.Case is { } id ? $"kintsugi cases show {id}\n" : "")}",
        };
        return message;
    }

    private static (string Host, int Port) Place(string server) =>
        server.LastIndexOf(':') is > 0 and var colon && int.TryParse(server.AsSpan(colon + 1), out var port) ? (server[..colon], port) : (server, 25);
}
