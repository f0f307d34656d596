using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Server.Tests;

/// <summary>What a health check asks of a server: counted where the server writes down every statement.</summary>
public sealed class HealthCheckCostTests(Servers servers)
{
    private const int MostStatements = 20;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_health_check_takes_at_most_twenty_statements_beside_what_sets_its_sessions_up()
    {
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        await database.Execute($"ALTER DATABASE {database.Name} SET log_statement = 'all'", Stop);
        await database.Execute($"ALTER DATABASE {database.Name} SET log_error_verbosity = 'terse'", Stop);
        await using var service = new Service();
        service.Write(Service.Block + "targets:\n" + Service.Target(database));
        var before = new FileInfo(database.Cluster.LogFile).Length;
        service.Start();
        await service.Until("the first health check", async () =>
            (await service.Run("jobs", "list", "--format", "json")).Out.Contains("\"state\": \"done\"", StringComparison.Ordinal));
        await service.Signal("TERM");
        await service.End();

        var asked = await Statements(database.Cluster.LogFile, before);
        // The rest of the log shows that the statements of this database were written down at all.
        Assert.Contains(asked, statement => statement.StartsWith("SELECT s.datname::pg_catalog.text, s.xact_commit", StringComparison.Ordinal));
        TestContext.Current.SendDiagnosticMessage($"a health check of one database: {asked.Count} statements");
        Assert.True(asked.Count <= MostStatements, $"{asked.Count} statements\n{string.Join('\n', asked)}");
    }

    private static async Task<List<string>> Statements(string log, long from)
    {
        await using var file = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Seek(from, SeekOrigin.Begin);
        using var reader = new StreamReader(file);
        var lines = (await reader.ReadToEndAsync(Stop)).Split('\n');
        return [.. lines.Select(line => line.IndexOf("execute <unnamed>: ", StringComparison.Ordinal) is >= 0 and var at ? line[(at + 19)..]
                : line.IndexOf("statement: ", StringComparison.Ordinal) is >= 0 and var plain ? line[(plain + 11)..] : "")
            .Where(statement => statement.Length > 0 && !IsSetup(statement))];
    }

    /// <summary>Settings of a session, and the question whose answer says which of them it may set.</summary>
    private static bool IsSetup(string statement) => statement.StartsWith("SET ", StringComparison.Ordinal) || statement.StartsWith("ALTER DATABASE", StringComparison.Ordinal)
        || statement.StartsWith("SELECT rolsuper FROM", StringComparison.Ordinal);
}
