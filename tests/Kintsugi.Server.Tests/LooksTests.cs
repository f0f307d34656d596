using Kintsugi.Hosting;
using Kintsugi.Postgres;

namespace Kintsugi.Server.Tests;

public sealed class LooksTests
{
    [Fact]
    public void Every_check_belongs_to_exactly_one_job()
    {
        var checks = PostgresRegistry.Create().Checks;
        string[] jobs = [JobNames.HealthCheck, JobNames.IndexCheck, JobNames.OrphanCleanup, JobNames.ChecksumVerify];
        Assert.Equal(checks.Select(check => check.Id).Order(), jobs.SelectMany(job => Looks.Of(job, checks)).Order());
        Assert.All(Looks.Critical.Concat(Looks.Checksums), id => Assert.Contains(id, checks.Select(check => check.Id)));
        Assert.Throws<ArgumentException>(() => Looks.Of("db.nonsense", checks));
    }
}
