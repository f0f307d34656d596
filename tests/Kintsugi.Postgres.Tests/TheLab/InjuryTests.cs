using Kintsugi.Lab;
using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.TheLab;

public sealed class InjuryTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<string, int> ThoseBySql => Matrix(injury => !injury.StopsServer);

    [Theory, MemberData(nameof(ThoseBySql))]
    public async Task Takes_in_a_database_of_a_shared_server(string name, int major)
    {
        await using var database = await servers.Database(major, Stop);

        // Inflict proves each injury and throws when one did not take.
        Assert.Null(await Record.ExceptionAsync(
            () => Injury.Inflict(database.Cluster, database.Name, [Injuries.Named(name)], Stop)));
    }

    public static TheoryData<string, int> ThoseInFiles => Matrix(injury => injury.StopsServer);

    [Theory, MemberData(nameof(ThoseInFiles))]
    public async Task Takes_in_the_files_of_a_cluster_of_its_own(string name, int major)
    {
        await using var own = await servers.Cluster(major, Stop);
        Assert.Null(await Record.ExceptionAsync(
            () => Injury.Inflict(own.Cluster, own.Name, [Injuries.Named(name)], Stop)));
    }

    [Fact]
    public async Task An_injury_does_not_take_twice_for_granted()
    {
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        var room = InjuryRoom.Enter(database.Cluster, database.Name);
        foreach (var injury in Injuries.All.Where(injury => !injury.StopsServer))
            await Assert.ThrowsAnyAsync<Exception>(() => injury.Prove(room, Stop));
    }

    [Fact]
    public async Task A_data_directory_without_the_marker_is_refused()
    {
        await using var own = await servers.Cluster(TestMajors.Newest, Stop);
        File.Delete(Path.Combine(own.Cluster.DataDirectory, ThrowawayCluster.Marker));

        var refused = await Assert.ThrowsAsync<LabException>(
            () => Injury.Inflict(own.Cluster, own.Name, [new BTreeEntryMissing()], Stop));

        Assert.Contains(ThrowawayCluster.Marker, refused.Message, StringComparison.Ordinal);
        Assert.True(await own.Scalar<bool>("SELECT EXISTS (SELECT FROM movies WHERE id = 777)", Stop));
    }

    [Fact]
    public void Names_are_unique_and_every_accident_is_told()
    {
        Assert.Equal(Injuries.All.Count, Injuries.All.Select(injury => injury.Name).Distinct().Count());
        Assert.All(Injuries.All, injury => Assert.EndsWith(".", injury.Accident, StringComparison.Ordinal));
    }

    // All on the newest and the oldest; the majors between differ in nothing that these touch.
    internal static TheoryData<string, int> Matrix(Func<Injury, bool> which)
    {
        var data = new TheoryData<string, int>();
        foreach (var major in new[] { TestMajors.Newest, TestMajors.Oldest }.Distinct())
            foreach (var injury in Injuries.All.Where(injury => which(injury) && major >= injury.Oldest))
                data.Add(injury.Name, major);
        return data;
    }
}
