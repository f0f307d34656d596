using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Lab;
using Kintsugi.Lab.Damage;
using Kintsugi.Pages;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests;

/// <summary>A visibility map that is full of marks accuses itself, and not the table whose end it does not know.</summary>
public sealed class LyingMapTests(Servers servers)
{
    private static readonly string[] Looks = ["--only", "pages", "--only", "heap", "--only", "heap-pages", "--only", "visibility-map", "-n", "public"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_map_of_marks_alone_is_emptied_and_its_tables_are_not_accused(int major)
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(major, Stop);
        await database.Execute("""
            CREATE TABLE public.holes AS SELECT n, repeat('x', 500) AS note FROM generate_series(1, 2000) n;
            CREATE INDEX holes_n ON public.holes (n);
            CREATE MATERIALIZED VIEW public.sums AS SELECT n % 100 AS hundred, count(*) FROM generate_series(1, 100000) n GROUP BY n;
            """, Stop);
        await database.Execute("VACUUM ANALYZE public.holes", Stop);
        await database.Execute("VACUUM ANALYZE public.sums", Stop);
        await database.Execute("DELETE FROM public.holes WHERE n % 7 = 0", Stop);
        var before = await database.Fingerprint(Stop);
        await Mark(database, "holes", "sums");

        var found = await terminal.On(database, ["check", "--format", "json", .. Looks]);
        var healed = await terminal.On(database, ["heal", "--yes", "--format", "json", .. Looks]);
        var again = await terminal.On(database, ["check", "--format", "json", .. Looks]);

        Assert.True(found.Code == ExitCodes.Damage, found.All);
        Assert.Equal(["holes visibility-map-corrupt vm", "sums visibility-map-corrupt vm"],
            found.Json.GetProperty("findings").EnumerateArray().Select(finding => $"{finding.GetProperty("object").GetString()} "
                + $"{finding.GetProperty("fault").GetString()} {finding.GetProperty("fork").GetString()}").Distinct().Order());
        Assert.True(healed.Code == ExitCodes.Sound, healed.All);
        Assert.True(again.Code == ExitCodes.Sound, again.All);
        Assert.True(before.CompareWith(await database.Fingerprint(Stop)).IsEmpty);
    }

    /// <summary>Every bit of the map, with the checksum that belongs to it.</summary>
    private static async Task Mark(TestDatabase database, params string[] tables)
    {
        var files = new List<string>();
        foreach (var table in tables)
            files.Add(Path.Combine(database.Cluster.DataDirectory, (await database.Scalar<string>($"SELECT pg_relation_filepath('public.{table}')", Stop))! + "_vm"));
        await database.Cluster.Stop(StopMode.Fast, Stop);
        foreach (var file in files)
            new RelationFile(file).Edit(0, page => page.AsSpan(PageFormat.HeaderSize).Fill(0xFF));
        await database.Cluster.Start(Stop);
    }
}
