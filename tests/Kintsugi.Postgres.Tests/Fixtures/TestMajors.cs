using System.Globalization;
using Kintsugi.Lab;

namespace Kintsugi.Postgres.Tests.Fixtures;

/// <summary>
/// Which PostgreSQL majors a run covers: KINTSUGI_TEST_MAJORS as `18`, `13,18` or `13..18` (the default). Theories take
/// <see cref="All"/>; everything else runs on <see cref="Newest"/>.
/// </summary>
public static class TestMajors
{
    /// <summary>For `[Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]`.</summary>
    public static TheoryData<int> All => [.. Chosen];

    /// <summary>The oldest and the newest: where a law that is dear to run is enough.</summary>
    public static TheoryData<int> Ends => [.. Chosen.Where(m => m == Chosen[0] || m == Chosen[^1])];

    /// <summary>Every major in ./test --all, the oldest and the newest else.</summary>
    public static TheoryData<int> Wide => Environment.GetEnvironmentVariable("KINTSUGI_TEST_ALL") == "1" ? All : Ends;

    public static int Newest => Chosen[^1];

    public static int Oldest => Chosen[0];

    /// <summary>For versions with a feature: those of the run that are not older.</summary>
    public static TheoryData<int> From(int first) => [.. Chosen.Where(m => m >= first)];

    private static IReadOnlyList<int> Chosen { get; } = Read(Environment.GetEnvironmentVariable("KINTSUGI_TEST_MAJORS"));

    private static IReadOnlyList<int> Read(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return [.. Enumerable.Range(PostgresBinaries.OldestMajor,
                PostgresBinaries.NewestMajor - PostgresBinaries.OldestMajor + 1)];
        var ends = text.Split("..");
        return ends.Length == 2
            ? [.. Enumerable.Range(Number(ends[0]), Number(ends[1]) - Number(ends[0]) + 1)]
            : [.. text.Split(',').Select(Number).Order()];
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
