using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;
using Npgsql;

namespace Kintsugi.Server.Tests;

/// <summary>Rows are changed only when their violation is new and was seen twice; what was there before is the owner's to acknowledge.</summary>
public sealed class RowsTests(Servers servers)
{
    private const string Orphans = "SELECT count(*) FROM movie_genres c WHERE NOT EXISTS (SELECT FROM movies p WHERE p.id = c.movie_id)";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task New_orphans_seen_twice_go_to_quarantine_and_old_ones_wait_for_a_word()
    {
        await using var old = await servers.Database(TestMajors.Newest, Stop);
        await using var fresh = await servers.Database(TestMajors.Newest, Stop);
        await Injury.Inflict(old.Cluster, old.Name, [new OrphanSingle()], Stop);
        await using var service = new Service();
        service.Write(Service.Block.Replace("orphan_cleanup_interval: 1d", "orphan_cleanup_interval: 3s", StringComparison.Ordinal)
            + "policy: { confirm_after: 1s }\ntargets:\n" + Service.Target(old, fresh));
        service.Start();

        // The place must have been seen sound first: that is what makes the violation a new one.
        await service.Until("the first look at rows", async () => await Case(service, old) is not null);
        await Injury.Inflict(fresh.Cluster, fresh.Name, [new OrphanSingle()], Stop);
        await service.Until("the new orphans are healed", async () => (await Case(service, fresh))?.State == "healed");
        Assert.Equal(0, await fresh.Scalar<long>(Orphans, Stop));
        Assert.Equal(3, await fresh.Scalar<long>("SELECT count(*) FROM kintsugi.quarantine", Stop));
        Assert.True(await fresh.Scalar<long>("SELECT count(*) FROM kintsugi.audit_log", Stop) > 0);

        await service.Until("the old ones wait", async () => await Case(service, old) is { State: "waiting", Reason: { } why }
            && why.Contains("kintsugi cases acknowledge", StringComparison.Ordinal));
        Assert.Equal(3, await old.Scalar<long>(Orphans, Stop));
        var id = (await Case(service, old))!.Id;
        await MustWaitWhileDataIsLoaded(service, old, id);
        Assert.Equal(0, (await service.Run("cases", "acknowledge", id, "--because", "leftovers of the import")).Code);
        await service.Until("the old orphans are healed", async () => (await Case(service, old))?.State == "healed");
        Assert.Equal(0, await old.Scalar<long>(Orphans, Stop));
        Assert.Equal(3, await old.Scalar<long>("SELECT count(*) FROM kintsugi.quarantine", Stop));
    }

    private static async Task MustWaitWhileDataIsLoaded(Service service, TestDatabase database, string id)
    {
        await database.Execute("CREATE TABLE loaded (id integer)", Stop);
        await using var loader = new NpgsqlConnection(database.ConnectionString);
        await loader.OpenAsync(Stop);
        await using var copy = await loader.BeginTextImportAsync("COPY loaded FROM STDIN", Stop);
        Assert.Equal(0, (await service.Run("cases", "acknowledge", id, "--because", "leftovers of the import")).Code);
        await service.Until("the rows wait for the load", async () => await Case(service, database) is { State: "waiting", Reason: { } why }
            && why.Contains("data is being loaded", StringComparison.Ordinal));
        Assert.Equal(3, await database.Scalar<long>(Orphans, Stop));
    }

    private static async Task<CaseRow?> Case(Service service, TestDatabase database) =>
        (await service.Cases()).FirstOrDefault(row => row.Database == database.Name && row.Fault == "row-orphaned");
}
