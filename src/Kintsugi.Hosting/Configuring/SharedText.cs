using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;

namespace Kintsugi.Hosting;

/// <summary>The part of a configuration in which nodes must not differ: by which they look, repair and tell.</summary>
internal static class SharedText
{
    private static readonly string[] OwnSections = ["http", "logging", "snapshots", "ledger"];

    public static string SumOf(KintsugiServiceOptions options)
    {
        var lines = options.Settings is { } settings
            ? settings.AsEnumerable(makePathsRelative: true).Where(pair => pair.Value is not null && !IsOwn(pair.Key.Split(':')[0]))
                .Select(pair => $"{pair.Key}={pair.Value}").Order(StringComparer.Ordinal)
            : options.ConfigurationFile is { } file ? Common(File.ReadAllLines(file)) : [];
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', lines))))[..16];
    }

    /// <summary>Without comments, empty lines and the sections that are a node's own: a key at the margin begins a section.</summary>
    private static IEnumerable<string> Common(IEnumerable<string> lines)
    {
        var own = false;
        foreach (var line in lines.Select(line => line.TrimEnd()).Where(line => line.Length > 0 && line.TrimStart()[0] != '#'))
        {
            if (!char.IsWhiteSpace(line[0]) && line[0] != '-')
                own = IsOwn(line.Split(':')[0]);
            if (!own)
                yield return line;
        }
    }

    private static bool IsOwn(string section) => OwnSections.Contains(section.Trim('"', '\''), StringComparer.OrdinalIgnoreCase);
}
