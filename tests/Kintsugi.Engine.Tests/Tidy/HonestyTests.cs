using System.Text.RegularExpressions;

namespace Kintsugi.Engine.Tests.Tidy;

/// <summary>Nothing unfinished, nothing swallowed, nothing of the machine it was written on.</summary>
public sealed partial class HonestyTests
{
    [Fact]
    public void Nothing_is_left_to_do_and_nothing_sleeps() =>
        Assert.Equal([], Sources.All.Where(NotTidy).SelectMany(file => file.Where(line => Unfinished().IsMatch(line))));

    [Fact]
    public void No_catch_is_empty() =>
        Assert.Equal([], Sources.All.Where(NotTidy).Where(file => EmptyCatch().IsMatch(file.Text)).Select(file => file.Path));

    [Fact]
    public void The_search_for_empty_catches_sees_one() => Assert.Matches(EmptyCatch(), "catch (Exception)\n    {\n    }");

    [Fact]
    public void No_file_speaks_of_a_developers_machine_or_of_a_registry()
    {
        var files = Sources.Documents.Where(path => !path.Contains("/Tidy/", StringComparison.Ordinal)).ToList();
        Assert.True(files.Count > 100);
        Assert.Equal([], files.Select(path => new SourceFile(Path.GetRelativePath(Sources.Root, path), File.ReadAllLines(path)))
            .SelectMany(file => file.Where(line => Machine().IsMatch(line))));
    }

    private static bool NotTidy(SourceFile file) => !file.Path.Contains("/Tidy/", StringComparison.Ordinal);

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b(?!\d)|NotImplementedException|NotSupportedException\(\)|Thread\.Sleep\(")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"\bcatch\b[^\n]*\n\s*\{\s*\}|\bcatch\s*(\([^)\n]*\))?\s*\{\s*\}")]
    private static partial Regex EmptyCatch();

    [GeneratedRegex(@"(?<![\w./])/work/[a-z]+/|https?://[^\s""]*\b(registry|npm|nuget|pypi|proxy)\b")]
    private static partial Regex Machine();
}
