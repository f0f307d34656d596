using Kintsugi.Lab;

namespace Kintsugi.Postgres.Tests.TheLab;

public sealed class PostgresBinariesTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_at_once_get_the_same_server_and_leave_no_work_behind()
    {
        var found = await Task.WhenAll(
            PostgresBinaries.Find(18, null, Stop), PostgresBinaries.Find(18, null, Stop));
        Assert.Equal(found[0], found[1]);
        var cache = Path.GetFullPath(Path.Combine(found[0].Directory, "../../../.."));
        if (Path.GetFileName(cache) == "pg")
            Assert.Empty(Directory.GetDirectories(cache, ".*"));
    }

    [Fact]
    public async Task A_directory_without_a_server_is_refused_by_name()
    {
        var refused = await Assert.ThrowsAsync<LabException>(() => PostgresBinaries.Find(null, "/usr/share", Stop));
        Assert.Contains("/usr/share", refused.Message, StringComparison.Ordinal);
        Assert.Contains("--pg-bin", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_named_directory_of_another_major_is_refused()
    {
        var eighteen = await PostgresBinaries.Find(18, null, Stop);
        var refused = await Assert.ThrowsAsync<LabException>(() => PostgresBinaries.Find(17, eighteen.Directory, Stop));
        Assert.Contains("holds PostgreSQL 18, but 17", refused.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData(12), InlineData(19)]
    public async Task A_major_outside_of_13_to_18_is_refused(int major)
    {
        await Assert.ThrowsAsync<LabException>(() => PostgresBinaries.Find(major, null, Stop));
    }
}
