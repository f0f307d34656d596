namespace Kintsugi.Configuration.Reading;

/// <summary>What is at hand while one configuration is read: the mistakes so far, the variables, the files.</summary>
/// <param name="around">Variables and files.</param>
/// <param name="directory">The directory of the configuration file, which relative paths start from.</param>
internal sealed class ReadingContext(ConfigurationSurroundings around, string directory)
{
    private readonly List<ConfigurationMistake> _mistakes = [];

    public int Count => _mistakes.Count;

    /// <summary>In the order of the file; those of the environment last.</summary>
    public IReadOnlyList<ConfigurationMistake> Mistakes =>
        [.. _mistakes.OrderBy(m => m.Line == 0).ThenBy(m => m.Line).ThenBy(m => m.Column)];

    public ConfigurationSurroundings Around => around;

    public void Mistake(Place place, string key, string message) =>
        _mistakes.Add(new(place.ToString(), key, message, place.Line, place.Column));

    public string FullPath(string path) => Path.GetFullPath(path, directory);

    /// <summary>The text with every <c>${env:NAME}</c> replaced; <c>$${</c> stands for <c>${</c>.</summary>
    public bool TryExpand(TextNode node, string key, out string text)
    {
        text = node.Text;
        if (!text.Contains("${", StringComparison.Ordinal))
        {
            return true;
        }

        var expanded = new System.Text.StringBuilder();
        for (var at = 0; at < text.Length;)
        {
            var open = text.IndexOf("${", at, StringComparison.Ordinal);
            if (open < 0)
            {
                expanded.Append(text, at, text.Length - at);
                break;
            }

            expanded.Append(text, at, open - at);
            if (open > at && text[open - 1] == '$')
            {
                expanded.Append('{');
                at = open + 2;
                continue;
            }

            var close = text.IndexOf('}', open);
            if (!TryVariable(node, key, close < 0 ? "" : text[(open + 2)..close], out var value))
            {
                return false;
            }

            expanded.Append(value);
            at = close + 1;
        }

        text = expanded.ToString();
        return true;
    }

    private bool TryVariable(TextNode node, string key, string reference, out string value)
    {
        value = "";
        if (!reference.StartsWith("env:", StringComparison.Ordinal) || reference.Length == "env:".Length)
        {
            Mistake(node.Place, key, "a reference is written ${env:NAME}; for the characters ${ themselves write $${");
            return false;
        }

        return TryVariable(node.Place, key, reference["env:".Length..], out value);
    }

    public bool TryVariable(Place place, string key, string name, out string value)
    {
        if (around.Variables.TryGetValue(name, out value!))
        {
            return true;
        }

        value = "";
        Mistake(place, key, $"the environment variable {name} is not set; set it where Kintsugi starts");
        return false;
    }
}
