using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Kintsugi.Server.Tests;

/// <summary>Tokens of an issuer with keys of its own: believed when they are its, for us and not run out; the claim says what one may do.</summary>
public sealed class OidcTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_token_of_the_issuer_opens_what_its_claim_allows_and_any_other_opens_nothing()
    {
        using var issuer = new Issuer();
        await using var service = new Service();
        service.Write(Service.Block + $$"""
            http: { oidc: { issuer: "{{issuer.Url}}", audience: kintsugi, role_claim: groups, operator: [dba], viewer: [staff] } }
            targets:
              - { name: gone, connection: "host=127.0.0.1 port={{WebhookReceiver.FreePort()}} user=postgres" }

            """);
        service.Start();
        using var api = new Api($"http://127.0.0.1:{service.Port}");
        await service.Until("it listens", async () => (await api.Get("targets")).Status == HttpStatusCode.Unauthorized);

        Assert.Equal(HttpStatusCode.OK, (await api.Get("targets", issuer.Token("ann", ["staff"]))).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await api.Post("repairs/pause", issuer.Token("ann", ["staff"]), """{"because":"x"}""")).Status);
        Assert.Equal(HttpStatusCode.OK, (await api.Post("repairs/pause", issuer.Token("bob", ["staff", "dba"]), """{"because":"x"}""")).Status);
        Assert.Contains("by bob", (await service.Run("jobs")).Out, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await api.Get("targets", issuer.Token("eve", ["guests"]))).Status);

        Assert.Equal(HttpStatusCode.Unauthorized, (await api.Get("targets", issuer.Token("ann", ["dba"], audience: "another"))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await api.Get("targets", issuer.Token("ann", ["dba"], lives: TimeSpan.FromMinutes(-5)))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await api.Get("targets", issuer.Token("ann", ["dba"], from: "http://127.0.0.1:1"))).Status);
        using var forger = RSA.Create(2048);
        Assert.Equal(HttpStatusCode.Unauthorized, (await api.Get("targets", issuer.Token("ann", ["dba"], signer: forger))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await api.Get("targets", issuer.Unsigned("ann", ["dba"]))).Status);
    }

    /// <summary>Publishes its key as OpenID Connect says, and signs what it is asked to.</summary>
    private sealed class Issuer : IDisposable
    {
        private readonly HttpListener listener = new();
        private readonly RSA key = RSA.Create(2048);

        public Issuer()
        {
            Url = $"http://127.0.0.1:{WebhookReceiver.FreePort()}";
            listener.Prefixes.Add(Url + "/");
            listener.Start();
            _ = Listen();
        }

        public string Url { get; }

        public string Token(string name, string[] groups, string audience = "kintsugi", string? from = null, TimeSpan? lives = null, RSA? signer = null)
        {
            var text = $"{Part(new { alg = "RS256", kid = "one", typ = "JWT" })}.{Claims(name, groups, audience, from ?? Url, lives ?? TimeSpan.FromMinutes(5))}";
            return $"{text}.{Text((signer ?? key).SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
        }

        public string Unsigned(string name, string[] groups) =>
            $"{Part(new { alg = "none" })}.{Claims(name, groups, "kintsugi", Url, TimeSpan.FromMinutes(5))}.";

        public void Dispose()
        {
            listener.Close();
            key.Dispose();
        }

        private static string Claims(string name, string[] groups, string audience, string from, TimeSpan lives)
        {
            var now = TimeProvider.System.GetUtcNow();
            return Part(new
            {
                iss = from, aud = audience, sub = name, groups,
                nbf = now.AddHours(-1).ToUnixTimeSeconds(), iat = now.AddHours(-1).ToUnixTimeSeconds(), exp = (now + lives).ToUnixTimeSeconds(),
            });
        }

        private static string Part(object value) => Text(JsonSerializer.SerializeToUtf8Bytes(value));

        private static string Text(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);

        private async Task Listen()
        {
            while (listener.IsListening)
            {
                HttpListenerContext context;
                try
                {
                    context = await listener.GetContextAsync();
                }
                catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
                {
                    return;
                }
                var numbers = key.ExportParameters(includePrivateParameters: false);
                object answer = context.Request.Url!.AbsolutePath == "/.well-known/openid-configuration"
                    ? new { issuer = Url, jwks_uri = Url + "/keys" }
                    : new { keys = new[] { new { kty = "RSA", use = "sig", kid = "one", alg = "RS256", n = Text(numbers.Modulus!), e = Text(numbers.Exponent!) } } };
                context.Response.ContentType = "application/json";
                await context.Response.OutputStream.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(answer), Stop);
                context.Response.Close();
            }
        }
    }
}
