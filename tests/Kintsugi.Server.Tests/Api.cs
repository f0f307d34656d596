using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Kintsugi.Server.Tests;

/// <summary>The API as a program uses it.</summary>
internal sealed class Api(string root) : IDisposable
{
    private readonly HttpClient http = new() { BaseAddress = new Uri(root.TrimEnd('/') + "/api/v1/") };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static string Sha256(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    public async Task<(HttpStatusCode Status, JsonElement Body)> Get(string path, string? key = null, string? host = null, string scheme = "Bearer")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Host = host;
        return await Send(request, key, scheme);
    }

    public async Task<(HttpStatusCode Status, JsonElement Body)> Post(string path, string? key, string body = "{}", string type = "application/json", string scheme = "Bearer")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, type) };
        return await Send(request, key, scheme);
    }

    public void Dispose() => http.Dispose();

    private async Task<(HttpStatusCode, JsonElement)> Send(HttpRequestMessage request, string? key, string scheme)
    {
        if (key is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue(scheme, key);
        using var response = await http.SendAsync(request, Stop);
        var text = await response.Content.ReadAsStringAsync(Stop);
        return (response.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement);
    }
}
