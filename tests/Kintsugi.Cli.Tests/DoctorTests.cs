using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests;

public sealed class DoctorTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_role_may_not_do_is_told_with_the_grant_that_works()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        await database.Execute("CREATE ROLE \"poor one\" LOGIN", Stop);

        var poor = await terminal.As("poor one", database, "doctor", "--format", "json");
        Assert.True(poor.Code == ExitCodes.Unchecked, poor.All);
        var btree = poor.Json.GetProperty("databases")[0].GetProperty("checks").EnumerateArray()
            .Single(check => check.GetProperty("check").GetString() == "btree");
        Assert.Equal("lacking", btree.GetProperty("state").GetString());
        var remedy = btree.GetProperty("remedy").GetString()!;
        Assert.StartsWith("GRANT EXECUTE ON FUNCTION ", remedy, StringComparison.Ordinal);
        Assert.EndsWith("TO \"poor one\"", remedy.Split(';')[0], StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Unchecked, (await terminal.As("poor one", database, "check", "--only", "btree")).Code);

        // The very words that were printed are what changes it.
        await database.Execute(remedy.Split(';')[0], Stop);
        var richer = await terminal.As("poor one", database, "check", "--only", "btree", "-t", "public.genres");
        Assert.True(richer.Code == ExitCodes.Sound, richer.All);
    }

    [Fact]
    public async Task Missing_extensions_are_offered_and_made_only_when_asked()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        await database.Execute($"DROP EXTENSION IF EXISTS amcheck; CREATE ROLE lacking_{database.Name} LOGIN", Stop);

        var offered = await terminal.As($"lacking_{database.Name}", database, "doctor");
        Assert.Equal(ExitCodes.Unchecked, offered.Code);
        Assert.Contains("CREATE EXTENSION amcheck", offered.Out, StringComparison.Ordinal);
        Assert.False(await database.Scalar<bool>("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'amcheck')", Stop));

        var installed = await terminal.On(database, "doctor", "--install-missing");
        Assert.Contains("created extension amcheck", installed.Error, StringComparison.Ordinal);
        Assert.True(await database.Scalar<bool>("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'amcheck')", Stop));
        Assert.Equal(ExitCodes.Sound, (await terminal.On(database, "check", "--only", "btree", "-t", "public.genres")).Code);
    }
}
