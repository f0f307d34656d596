using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests;

/// <summary>VACUUM FULL against a lying map, as some want it: named, approved, and not over a sick heap.</summary>
public sealed class RewriteTableTests(Servers servers)
{
    private static readonly string[] Narrow = ["--only", "visibility-map", "--only", "heap", "-t", "public.ratings_even"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_table_is_rewritten_only_when_that_is_named_and_approved(int major)
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(major, Stop);
        await database.Cluster.CreateExtensions(database.Name, Stop);
        var before = await database.Fingerprint(Stop);
        await Injury.Inflict(database.Cluster, database.Name, [new VisibilityMapLies()], Stop);
        var file = await FileNode(database, "ratings_even");
        var neighbour = await FileNode(database, "movies");

        var asked = await terminal.On(database, ["heal", "--yes", "--repair", "rewrite-table", "--format", "json", .. Narrow]);

        var waiting = Assert.Single(asked.Json.GetProperty("cases").EnumerateArray());
        Assert.Equal(("waiting", "rewrite-table"), (waiting.GetProperty("outcome").GetString(), waiting.GetProperty("repair").GetString()));
        Assert.Equal(file, await FileNode(database, "ratings_even"));
        var id = waiting.GetProperty("id").GetString()!;
        await terminal.Run("cases", "approve", id);
        var healed = await terminal.On(database, ["heal", "--yes", "--repair", "rewrite-table", "--case", id, "--format", "json", .. Narrow]);

        Assert.True(healed.Code == ExitCodes.Sound, healed.All);
        Assert.Equal("healed", Assert.Single(healed.Json.GetProperty("cases").EnumerateArray()).GetProperty("outcome").GetString());
        Assert.NotEqual(file, await FileNode(database, "ratings_even"));
        Assert.Equal(neighbour, await FileNode(database, "movies"));
        Assert.True(before.CompareWith(await database.Fingerprint(Stop)).IsEmpty);
        (await terminal.On(database, ["heal", "--yes", "--repair", "rewrite-everything"])).MustRefuse("no repair called rewrite-everything");
    }

    private static Task<uint> FileNode(TestDatabase database, string table) =>
        database.Scalar<uint>($"SELECT pg_relation_filenode('{table}')::oid", Stop);
}
