using Kintsugi.Configuration.Reading;
using Kintsugi.Configuration.Tables;

namespace Kintsugi.Configuration;

/// <summary>Reads config.yaml: every mistake at once, each with its line and column; nothing unknown is passed over.</summary>
public static class ConfigurationReader
{
    /// <summary>Reads a file and the overrides of the environment.</summary>
    public static ConfigurationResult Load(string path, ConfigurationSurroundings around)
    {
        var full = Path.GetFullPath(path);
        return around.ReadFile(full) is { } text
            ? Read(text, path, Path.GetDirectoryName(full)!, around)
            : new ConfigurationResult.Refused(
                [new(path, "", "the file is not there or cannot be read by this user; kintsugi config init writes one", 0, 0)]);
    }

    /// <summary>Reads a text and the overrides of the environment.</summary>
    /// <param name="text">YAML; empty is a configuration of defaults.</param>
    /// <param name="name">How mistakes call the file.</param>
    /// <param name="directory">Where relative paths in it start from.</param>
    public static ConfigurationResult Read(string text, string name, string directory, ConfigurationSurroundings around) =>
        Read(text, name, directory, [], around);

    /// <summary>Reads the settings of a host application, as "Database:AutoHealing:Enabled", and the overrides of the
    /// environment. A JSON Schema loses its types on that way: use schema_file there.</summary>
    public static ConfigurationResult ReadSettings(
        IEnumerable<KeyValuePair<string, string?>> settings, string directory, ConfigurationSurroundings around) =>
        Read("", "settings", directory, Overrides.FromSettings(settings), around);

    private static ConfigurationResult Read(
        string text, string name, string directory, IEnumerable<Override> settings, ConfigurationSurroundings around)
    {
        var reading = new ReadingContext(around, directory);
        var root = YamlText.Parse(text, name, reading) ?? new MapNode(new(name, 0, 0));
        if (root is TextNode { IsNull: true })
        {
            root = new MapNode(root.Place);
        }

        root = new Overrides(reading).Apply(root, RootTable.Shape, settings.Concat(Overrides.FromEnvironment(around.Variables)));
        var read = RootTable.Shape.TryRead(root, "", reading, out var configuration);
        return read && reading.Count == 0
            ? new ConfigurationResult.Valid(configuration!)
            : new ConfigurationResult.Refused(reading.Mistakes);
    }
}
