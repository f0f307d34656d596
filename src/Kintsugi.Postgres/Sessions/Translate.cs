using Npgsql;

namespace Kintsugi.Postgres.Sessions;

/// <summary>Turns the driver's exceptions into the engine's.</summary>
internal static class Translate
{
    public static PatientException Problem(NpgsqlException problem) => problem switch
    {
        PostgresException server => new PatientException(server.SqlState, server.MessageText, server)
        {
            Detail = server.Detail,
            ConnectionLost = SqlStates.IsConnectionLost(server.SqlState),
        },
        _ => new PatientException(null, Innermost(problem), problem) { ConnectionLost = problem.InnerException is not TimeoutException },
    };

    private static string Innermost(Exception problem)
    {
        var inner = problem;
        while (inner.InnerException is not null)
            inner = inner.InnerException;
        return inner == problem ? problem.Message : $"{problem.Message}: {inner.Message}";
    }
}
