using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Kintsugi.Server.Tests;

/// <summary>Mail with a password goes over TLS, to a server whose certificate is believed, or not at all.</summary>
public sealed class MailTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_mail_with_a_password_goes_over_TLS_to_a_believed_server_only()
    {
        using var certificate = Certificate();
        await using var service = new Service();
        var trusted = Path.Combine(Path.GetDirectoryName(service.ConfigurationFile)!, "trusted.pem");
        await File.WriteAllTextAsync(trusted, certificate.ExportCertificatePem(), Stop);

        await using (var stranger = new TlsMailServer(certificate))
        {
            service.Write(Receiver(stranger.Port));
            var refused = await service.Run("alerts", "test", "-c", service.ConfigurationFile);
            Assert.Equal(1, refused.Code);
            Assert.Contains("post: not taken", refused.Out, StringComparison.Ordinal);
            Assert.DoesNotContain("s3cret", refused.Out, StringComparison.Ordinal);
            Assert.Null(stranger.Password);
        }
        await using var server = new TlsMailServer(certificate);
        service.Variables["SSL_CERT_FILE"] = trusted;
        service.Write(Receiver(server.Port));
        var taken = await service.Run("alerts", "test", "-c", service.ConfigurationFile);
        Assert.True(taken.Code == 0, taken.Out);
        Assert.Contains("Subject: Kintsugi: [info] test", await server.Mail.WaitAsync(TimeSpan.FromMinutes(1), Stop), StringComparison.Ordinal);
        Assert.Equal("\0kintsugi\0s3cret", server.Password);
    }

    private static string Receiver(int port) => $$"""
        alerts: { receivers: [ { name: post, email: { to: [ops@example.org], from: kintsugi@example.org, server: "localhost:{{port}}", user: kintsugi, password: "s3cret" } } ] }

        """;

    private static X509Certificate2 Certificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }

    /// <summary>As much of SMTP as one mail needs, with STARTTLS and a password.</summary>
    private sealed class TlsMailServer : IAsyncDisposable
    {
        private readonly TcpListener listener = new(IPAddress.Loopback, 0);
        private readonly X509Certificate2 certificate;

        public TlsMailServer(X509Certificate2 certificate)
        {
            this.certificate = certificate;
            listener.Start();
            Port = ((IPEndPoint)listener.LocalEndpoint).Port;
            Mail = Take();
        }

        public int Port { get; }
        public Task<string> Mail { get; }

        /// <summary>As AUTH PLAIN says it; null until it came, over TLS.</summary>
        public string? Password { get; private set; }

        public ValueTask DisposeAsync()
        {
            listener.Stop();
            return ValueTask.CompletedTask;
        }

        private async Task<string> Take()
        {
            using var client = await listener.AcceptTcpClientAsync();
            await using var plain = client.GetStream();
            await Say(plain, "220 ready");
            while (await Line(plain) is { Length: > 0 } line && line != "STARTTLS")
                await Say(plain, "250-here\r\n250 STARTTLS");
            await Say(plain, "220 go ahead");
            await using var stream = new SslStream(plain);
            try
            {
                await stream.AuthenticateAsServerAsync(certificate);
            }
            catch (Exception refused) when (refused is IOException or System.Security.Authentication.AuthenticationException)
            {
                return refused.Message;
            }
            for (var line = await Line(stream); line != "DATA" && line.Length > 0; line = await Line(stream))
            {
                if (line.StartsWith("AUTH PLAIN ", StringComparison.Ordinal))
                    Password = Encoding.UTF8.GetString(Convert.FromBase64String(line["AUTH PLAIN ".Length..]));
                await Say(stream, line.StartsWith("AUTH", StringComparison.Ordinal) ? "235 known" : line.StartsWith("EHLO", StringComparison.Ordinal) ? "250-here\r\n250 AUTH PLAIN" : "250 ok");
            }
            await Say(stream, "354 go on");
            var mail = new StringBuilder();
            for (var line = await Line(stream); line != "."; line = await Line(stream))
                mail.AppendLine(line);
            await Say(stream, "250 taken");
            await Line(stream);
            await Say(stream, "221 bye");
            return mail.ToString();
        }

        private static async Task Say(Stream stream, string line) => await stream.WriteAsync(Encoding.ASCII.GetBytes(line + "\r\n"));

        /// <summary>Byte by byte: what follows STARTTLS is not text any more.</summary>
        private static async Task<string> Line(Stream stream)
        {
            var line = new StringBuilder();
            var one = new byte[1];
            while (await stream.ReadAsync(one) == 1 && one[0] != '\n')
                line.Append((char)one[0]);
            return line.ToString().TrimEnd('\r');
        }
    }
}
