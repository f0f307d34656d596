using Kintsugi.Configuration;
using Kintsugi.JsonSchema;

namespace Kintsugi.Cli.Runtime;

/// <summary>The owner's file: the one named by --config, else $KINTSUGI_CONFIG, else none and defaults.</summary>
internal static class ConfigurationFile
{
    public static bool IsNamed(string? named, CliContext context) => !string.IsNullOrEmpty(named ?? context.Variable("KINTSUGI_CONFIG"));

    /// <exception cref="UsageException">Every mistake in it, each with line and column.</exception>
    public static KintsugiConfiguration Load(string? named, CliContext context)
    {
        var path = named ?? context.Variable("KINTSUGI_CONFIG");
        var around = ConfigurationSurroundings.OfThisProcess(SchemaMistake);
        var result = string.IsNullOrEmpty(path)
            ? ConfigurationReader.Read("", "(no file)", Directory.GetCurrentDirectory(), around)
            : ConfigurationReader.Load(path, around);
        return result switch
        {
            ConfigurationResult.Valid valid => valid.Configuration,
            ConfigurationResult.Refused refused => throw new UsageException(
                $"the configuration has {Output.Text.Count(refused.Mistakes.Count, "mistake")}; nothing was done\n"
                + string.Join('\n', refused.Mistakes.Select(mistake => $"  {mistake}"))),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    private static string? SchemaMistake(string schema)
    {
        var compiled = CompiledSchema.Compile(schema, new SchemaOptions());
        return compiled.Errors.Count == 0 ? null : string.Join("; ", compiled.Errors.Select(error => $"{error.Location}: {error.Message}"));
    }
}
