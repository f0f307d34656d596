using Kintsugi.Configuration;

namespace Kintsugi.Engine.Tests.Configuration;

/// <summary>Reads configurations in surroundings of a test's own making.</summary>
internal sealed class Reading
{
    private readonly Dictionary<string, string> _variables = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _files = new(StringComparer.Ordinal);

    public Reading Variable(string name, string value)
    {
        _variables[name] = value;
        return this;
    }

    public Reading File(string path, string text)
    {
        _files[path] = text;
        return this;
    }

    private ConfigurationSurroundings Around => new(_variables, path => _files.GetValueOrDefault(path));

    public ConfigurationResult Read(string text) => ConfigurationReader.Read(text, "config.yaml", "/etc/kintsugi", Around);

    public KintsugiConfiguration Valid(string text) => Valid(Read(text));

    public KintsugiConfiguration Settings(params (string Key, string Value)[] settings) => Valid(
        ConfigurationReader.ReadSettings(settings.Select(s => KeyValuePair.Create(s.Key, (string?)s.Value)), "/srv", Around));

    public IReadOnlyList<string> Mistakes(string text) =>
        [.. Assert.IsType<ConfigurationResult.Refused>(Read(text)).Mistakes.Select(mistake => mistake.ToString())];

    public string Mistake(string text) => Assert.Single(Mistakes(text));

    private static KintsugiConfiguration Valid(ConfigurationResult result)
    {
        if (result is ConfigurationResult.Refused refused)
        {
            Assert.Fail(string.Join('\n', refused.Mistakes));
        }

        return Assert.IsType<ConfigurationResult.Valid>(result).Configuration;
    }
}
