using System.Text.RegularExpressions;

namespace Kintsugi.Engine.Tests.Tidy;

/// <summary>Size and names: what can be read in one sitting can be trusted.</summary>
public sealed partial class ShapeTests
{
    // .editorconfig asks for 130; what goes beyond it is text: SQL, messages, tables of facts.
    private const int MostLines = 300, LongestLine = 210, LongestFunction = 70;

    [Fact]
    public void No_file_has_over_300_lines() =>
        Assert.Equal([], Sources.All.Where(file => file.Lines.Count > MostLines).Select(file => $"{file.Path}: {file.Lines.Count} lines"));

    [Fact]
    public void No_line_is_longer_than_210() =>
        Assert.Equal([], Sources.All.SelectMany(file => file.Where(line => line.Length > LongestLine)).Select(place => place[..90]));

    [Fact]
    public void No_function_has_over_70_lines() => Assert.Equal([], Sources.All.SelectMany(LongFunctions));

    [Fact]
    public void The_measure_of_functions_sees_a_long_one()
    {
        string[] body = ["internal sealed class It", "{", "    public void Does()", "    {", .. Enumerable.Repeat("        a();", 80), "    }", "}"];
        Assert.Single(LongFunctions(new SourceFile("x.cs", body)));
        Assert.Empty(LongFunctions(new SourceFile("x.cs", [.. body[..60], "    }", "}"])));
    }

    [Fact]
    public void No_name_says_Manager_Helper_or_Util() =>
        Assert.Equal([], Sources.All.SelectMany(file => file.Where(line => NothingNames().IsMatch(line))));

    [Fact]
    public void No_type_is_named_like_a_namespace()
    {
        var namespaces = Sources.Product.SelectMany(file => Namespace().Matches(file.Text)).SelectMany(match => match.Groups[1].Value.Split('.'))
            .ToHashSet();
        var types = Sources.Product.SelectMany(file => Type().Matches(file.Text).Select(match => (file.Path, Name: match.Groups[1].Value)));
        Assert.NotEmpty(namespaces);
        Assert.Equal([], types.Where(type => namespaces.Contains(type.Name)).Select(type => $"{type.Path}: {type.Name}"));
    }

    /// <summary>Members stand one level inside a type: a brace there opens a body, the next one at its depth closes it.</summary>
    private static IEnumerable<string> LongFunctions(SourceFile file)
    {
        for (var at = 1; at < file.Lines.Count; at++)
        {
            var line = file.Lines[at];
            // A brace at the margin opens a type, whatever its primary constructor looks like.
            if (line.Trim() != "{" || line[0] == '{' || !file.Lines[at - 1].TrimEnd().EndsWith(')'))
                continue;
            var end = at + 1;
            while (end < file.Lines.Count && !(file.Lines[end].StartsWith(line.Replace('{', '}'), StringComparison.Ordinal)))
                end++;
            if (end - at - 1 > LongestFunction)
                yield return $"{file.Path}:{at}: {end - at - 1} lines";
        }
    }

    [GeneratedRegex(@"\b(class|record|struct|interface|enum) \w*(Manager|Helper|Util|Utils|Utilities)\b")]
    private static partial Regex NothingNames();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^(?:public|internal)[\w ]* (?:class|record|record struct|struct|interface|enum) (\w+)", RegexOptions.Multiline)]
    private static partial Regex Type();
}
