namespace Kintsugi.Configuration;

/// <summary>One thing that is wrong in the configuration.</summary>
/// <param name="Place">"config.yaml:6:5" (line and column from 1), or the name of an environment variable.</param>
/// <param name="Key">The dotted path of the key, empty for the file as a whole.</param>
/// <param name="Message">What is wrong and what to write instead; never a secret.</param>
/// <param name="Line">From 1; 0 where the mistake is not in the file.</param>
/// <param name="Column">From 1; 0 where the mistake is not in the file.</param>
public sealed record ConfigurationMistake(string Place, string Key, string Message, int Line, int Column)
{
    public override string ToString() => Key.Length == 0 ? $"{Place}: {Message}" : $"{Place}: {Key}: {Message}";
}

/// <summary>What reading a configuration gave: all of it, or all its mistakes.</summary>
public abstract record ConfigurationResult
{
    private ConfigurationResult()
    {
    }

    public sealed record Valid(KintsugiConfiguration Configuration) : ConfigurationResult;

    /// <param name="Mistakes">At least one, in the order of the file.</param>
    public sealed record Refused(IReadOnlyList<ConfigurationMistake> Mistakes) : ConfigurationResult;
}
