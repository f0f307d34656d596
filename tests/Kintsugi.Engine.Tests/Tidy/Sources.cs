using System.Text.RegularExpressions;

namespace Kintsugi.Engine.Tests.Tidy;

/// <summary>The source tree as text: what the tidy tests read.</summary>
internal static partial class Sources
{
    public static string Root { get; } = FindRoot();

    /// <summary>Every C# file of src, tests and bench, with its path from the root.</summary>
    public static IReadOnlyList<SourceFile> All { get; } =
        [.. new[] { "src", "tests", "bench" }.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories))
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(path => new SourceFile(Path.GetRelativePath(Root, path), File.ReadAllLines(path)))];

    public static IEnumerable<SourceFile> Product => All.Where(file => file.Path.StartsWith("src/", StringComparison.Ordinal));

    /// <summary>Text files that ship or speak for the project, beside the sources.</summary>
    public static IEnumerable<string> Documents =>
        new[] { "docs", "src", "tests", ".ci", "deploy", "samples", "bench" }.Select(folder => Path.Combine(Root, folder)).Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(Root))
            .Where(path => Texts().IsMatch(path) && !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal)
                && Path.GetFileName(path) != "packages.lock.json");

    /// <summary>The references from project to project, by name.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> Arrows { get; } =
        Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories).ToDictionary(
            path => Path.GetFileNameWithoutExtension(path)!,
            path => (IReadOnlyList<string>)[.. References().Matches(File.ReadAllText(path)).Select(match => match.Groups[1].Value)]);

    /// <summary>Upwards from the test program: a build for CI leaves no paths of sources behind.</summary>
    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "kintsugi.slnx")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException($"{AppContext.BaseDirectory} lies in no checkout");
    }

    [GeneratedRegex(@"<ProjectReference Include=""[^""]*/([A-Za-z.]+)\.csproj""")]
    private static partial Regex References();

    [GeneratedRegex(@"(\.(cs|csproj|md|sql|json|ya?ml|props|slnx|txt|sh)|/(kintsugi|test|run|publish))$")]
    private static partial Regex Texts();
}

internal sealed record SourceFile(string Path, IReadOnlyList<string> Lines)
{
    public string Text { get; } = string.Join('\n', Lines);

    /// <summary>Where a line fits, as path:line.</summary>
    public IEnumerable<string> Where(Func<string, bool> offends) =>
        Lines.Select((line, at) => (line, at)).Where(item => offends(item.line)).Select(item => $"{Path}:{item.at + 1}: {item.line.Trim()}");
}
