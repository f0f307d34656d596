using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kintsugi.Rules;

namespace Kintsugi.Hosting;

/// <summary>By what two nodes know that an answer of the one is what the other would have found: only then do they share a look.</summary>
internal static class Likeness
{
    /// <summary>
    /// Over the builds of the program and of every check, the configuration, and the target's rules as they were read: variables of the environment
    /// and files of schemas, which are no part of the configuration's text, may have changed them.
    /// </summary>
    public static string Fingerprint(Registry registry, ConsistencyRules rules, string configuration)
    {
        var text = new StringBuilder($"1 {Build(typeof(Likeness))} {Build(typeof(ICheck))} {configuration} {JsonSerializer.Serialize(rules)}");
        foreach (var check in registry.Checks)
            text.Append($"\n{check.Id} {check.GetType().FullName} {Build(check.GetType())}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())).AsSpan(0, 16));
    }

    /// <summary>Which server a node sees, as whom, and whether it reads the files beside it.</summary>
    public static string Ground(Capabilities can) =>
        $"{can.SystemIdentifier} {can.VersionNumber} {can.Timeline} {can.InRecovery} {can.FilesReachable} {can.Superuser} {can.User}";

    private static string Build(Type type) => $"{type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion} "
        + type.Module.ModuleVersionId;
}
