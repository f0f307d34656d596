using Kintsugi.Configuration;
using Kintsugi.JsonSchema;
using Microsoft.Extensions.Logging;

namespace Kintsugi.Hosting;

/// <summary>The owner's configuration as it stands. A file that became invalid changes nothing: the old one holds, and that is told.</summary>
public sealed class ConfigurationSource(KintsugiServiceOptions options, ILogger<ConfigurationSource> log)
{
    private volatile KintsugiConfiguration current = Read(options) switch
    {
        ConfigurationResult.Valid valid => valid.Configuration,
        ConfigurationResult.Refused refused => throw new ConfigurationRefusedException(Told(refused)),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    public KintsugiConfiguration Current => current;
    public string? File => options.ConfigurationFile;

    /// <summary>Whether the file as it lies there is the one that holds.</summary>
    public bool LastReloadTook { get; private set; } = true;

    public bool Reload()
    {
        if (Read(options) is ConfigurationResult.Valid valid)
        {
            current = valid.Configuration;
            LastReloadTook = true;
            Log.Reloaded(log, File);
        }
        else if (Read(options) is ConfigurationResult.Refused refused)
        {
            LastReloadTook = false;
            Log.ReloadRefused(log, Told(refused));
        }
        return LastReloadTook;
    }

    private static ConfigurationResult Read(KintsugiServiceOptions options)
    {
        var around = ConfigurationSurroundings.OfThisProcess(Mistake);
        return options.ConfigurationFile is { } path
            ? ConfigurationReader.Load(path, around)
            : ConfigurationReader.Read("", "(no file)", Directory.GetCurrentDirectory(), around);
    }

    private static string Told(ConfigurationResult.Refused refused) =>
        $"the configuration has {refused.Mistakes.Count} mistakes\n" + string.Join('\n', refused.Mistakes.Select(mistake => $"  {mistake}"));

    private static string? Mistake(string schema)
    {
        var compiled = CompiledSchema.Compile(schema, new SchemaOptions());
        return compiled.Errors.Count == 0 ? null : string.Join("; ", compiled.Errors.Select(error => $"{error.Location}: {error.Message}"));
    }
}

/// <summary>The service does not start on a configuration with mistakes.</summary>
public sealed class ConfigurationRefusedException(string message) : Exception(message);
