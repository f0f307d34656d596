using Kintsugi.Postgres.Sessions;
using Kintsugi.Postgres.Tests.Fixtures;
using Npgsql;

namespace Kintsugi.Postgres.Tests.Checks;

/// <summary>Examines a test database as a scrub would, with one check alone.</summary>
internal static class Ward
{
    public static async Task<ScrubReport> Examine(
        TestDatabase database, ICheck check, Depth depth, CancellationToken cancellationToken, string? user = null,
        bool filesHidden = false)
    {
        await using var factory = new SessionFactory(name => Connection(database, name, user), new SessionLimits());
        var source = await PatientSource.Connect(
            factory, [database.Name], null, filesHidden ? "/nowhere" : database.Cluster.DataDirectory, new Pace(null,
                TimeProvider.System), cancellationToken);
        return await new Scrub([check], source, TimeProvider.System, null).Run(new ScrubSettings { Depth = depth },
            cancellationToken);
    }

    /// <returns>How many rows the statement changed: an injury that did not take proves nothing.</returns>
    public static async Task<int> Injure(this TestDatabase database, string sql, CancellationToken cancellationToken)
    {
        await using var connection = await database.Cluster.Connect(database.Name, cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Every examination came out sound; what else there was is told.</summary>
    public static void AssertSound(ScrubReport report)
    {
        var told = report.Examinations.Where(e => e.Verdict is not (Verdict.Sound or Verdict.NotApplicable))
            .Select(e => $"{e.Check} {e.Target.Name} {e.Target.Rule}: {e.Verdict.Word} {e.Verdict.Why} "
                + string.Join(" | ", (e.Verdict as Verdict.Damaged)?.Findings.Select(f =>
                    $"{f.Target.Name} {f.Evidence}") ?? []));
        Assert.Equal([], told);
        Assert.NotEqual(0, report.Count<Verdict.Sound>());
    }

    private static string Connection(TestDatabase database, string? name, string? user)
    {
        var text = new NpgsqlConnectionStringBuilder(database.Cluster.ConnectionString(name ?? database.Name));
        if (user is not null)
            text.Username = user;
        return text.ConnectionString;
    }
}
