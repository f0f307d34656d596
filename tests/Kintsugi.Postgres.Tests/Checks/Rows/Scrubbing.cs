using Kintsugi.Postgres.Sessions;
using Kintsugi.Postgres.Tests.Fixtures;
using Npgsql;

namespace Kintsugi.Postgres.Tests.Checks.Rows;

/// <summary>Runs one check over a test's database as the product does.</summary>
internal static class Scrubbing
{
    public static Task<ScrubReport> With(ICheck check, TestDatabase database, CancellationToken cancellationToken) =>
        With(check, database, "postgres", cancellationToken);

    public static async Task<ScrubReport> With(
        ICheck check, TestDatabase database, string role, CancellationToken cancellationToken)
    {
        var text = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = role }.ConnectionString;
        await using var factory = new SessionFactory(_ => text, new SessionLimits());
        var source =
            await PatientSource.Connect(
            factory, [database.Name], null, null, new Pace(null, TimeProvider.System), cancellationToken);
        return await new Scrub([check], source, TimeProvider.System, null).Run(new ScrubSettings(), cancellationToken);
    }

    /// <summary>Nothing accused, nothing left out.</summary>
    public static void AssertSound(ScrubReport report)
    {
        Assert.Empty(report.Findings);
        Assert.Empty(
            report.Examinations.Where(e => e.Verdict is Verdict.Unchecked)
            .Select(e => $"{e.Target.Name} {e.Target.Rule}: {e.Verdict.Why}"));
    }

    public static Examination Of(this ScrubReport report, string relation, string rule) =>
        Assert.Single(report.Examinations, e => e.Target.Relation == relation && e.Target.Rule == rule);
}
