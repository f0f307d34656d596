using Kintsugi.Configuration;
using Kintsugi.JsonSchema;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Kintsugi.Hosting;

/// <summary>The owner's configuration as it stands. A file that became invalid changes nothing: the old one holds, and that is told.</summary>
public sealed class ConfigurationSource(KintsugiServiceOptions options, ILogger<ConfigurationSource> log)
{
    private readonly Lock gate = new();
    private DateTime read = Written(options);
    private volatile KintsugiConfiguration current = Read(options) switch
    {
        ConfigurationResult.Valid valid => valid.Configuration,
        ConfigurationResult.Refused refused => throw new ConfigurationRefusedException(Told(refused)),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    public KintsugiConfiguration Current => current;
    public string? File => options.ConfigurationFile;

    /// <summary>Over what all nodes must have in common; where a node listens, logs and keeps its files is its own.</summary>
    public string Sum { get; private set; } = SharedText.SumOf(options);

    /// <summary>Whether the file as it lies there is the one that holds.</summary>
    public bool LastReloadTook { get; private set; } = true;

    /// <returns>Whether another configuration holds now.</returns>
    public bool ReloadIfChanged() => Written(options) != read && Reload();

    /// <returns>Whether the file was taken.</returns>
    public bool Reload()
    {
        lock (gate)
        {
            read = Written(options);
            switch (Read(options))
            {
                case ConfigurationResult.Valid valid:
                    var before = current;
                    current = valid.Configuration;
                    LastReloadTook = true;
                    Sum = SharedText.SumOf(options);
                    Log.Reloaded(log, File);
                    if (valid.Configuration.Ledger != before.Ledger || valid.Configuration.Logging != before.Logging
                        || valid.Configuration.Http.Listen != before.Http.Listen)
                        Log.NeedsRestart(log);
                    break;
                case ConfigurationResult.Refused refused:
                    LastReloadTook = false;
                    Log.ReloadRefused(log, Told(refused));
                    break;
            }
            return LastReloadTook;
        }
    }

    private static DateTime Written(KintsugiServiceOptions options) =>
        options.ConfigurationFile is { } file ? System.IO.File.GetLastWriteTimeUtc(file) : default;

    private static ConfigurationResult Read(KintsugiServiceOptions options)
    {
        var around = ConfigurationSurroundings.OfThisProcess(Mistake);
        if (options.Settings is { } settings)
            return ConfigurationReader.ReadSettings(settings.AsEnumerable(makePathsRelative: true), Directory.GetCurrentDirectory(), around);
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
