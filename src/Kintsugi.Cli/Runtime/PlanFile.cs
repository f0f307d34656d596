using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Kintsugi.Cli.Runtime;

/// <summary>A plan that was written by plan --out: what a person has read, and nothing else, may be done.</summary>
internal sealed record PlanFile(string Path, string Server, IReadOnlyDictionary<string, string> PlanHashes)
{
    /// <exception cref="UsageException">It is no plan file, or was altered.</exception>
    public static async ValueTask<PlanFile> Read(string path, CancellationToken cancellationToken)
    {
        try
        {
            using var json = JsonDocument.Parse(await File.ReadAllBytesAsync(path, cancellationToken));
            var root = json.RootElement;
            if (root.GetProperty("format").GetString() != "kintsugi.plan/1")
                throw new UsageException($"{path} is not a plan of a format that this version knows (kintsugi.plan/1)");
            var cases = root.GetProperty("cases");
            if (Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(cases.GetRawText()))) != root.GetProperty("sha256").GetString())
                throw new UsageException($"{path} was altered after it was written: its SHA-256 does not match. Make it again with plan --out");
            return new PlanFile(path, root.GetProperty("server").GetProperty("system_identifier").GetString()!,
                cases.EnumerateArray().Where(item => item.GetProperty("plan").ValueKind == JsonValueKind.Object)
                    .ToDictionary(item => item.GetProperty("id").GetString()!, item => PlanJson.Read(item.GetProperty("plan")).Hash));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException
            or InvalidOperationException or FormatException)
        {
            throw new UsageException($"the plan file {path} cannot be used: {problem.Message}");
        }
    }

    public void MustBeFor(string server)
    {
        if (server != Server)
            throw new UsageException($"{Path} was made for the server with system identifier {Server}; this one is {server}");
    }
}
