using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace Kintsugi.Hosting;

/// <summary>By what two nodes know that an answer of the one is what the other would have found: only then do they share a look.</summary>
internal static class Likeness
{
    /// <summary>Over the builds of the program and of every check, and over the configuration with all its parameters and rules.</summary>
    public static string Fingerprint(Registry registry, ConfigurationSource configuration)
    {
        var text = new StringBuilder($"1 {Build(typeof(Likeness))} {Build(typeof(ICheck))} {configuration.Sum}");
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
