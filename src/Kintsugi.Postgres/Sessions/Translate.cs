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
            ServerAway = server.SqlState is SqlStates.AdminShutdown or SqlStates.CannotConnectNow,
        },
        _ => new PatientException(null, Innermost(problem), problem) { ConnectionLost = problem.InnerException is not TimeoutException },
    };

    /// <summary>Before there was a session in which anything could have been asked.</summary>
    public static PatientException Refusal(NpgsqlException problem) => problem is PostgresException ? Problem(problem)
        : new PatientException(null, Innermost(problem), problem) { ConnectionLost = problem.InnerException is not TimeoutException, ServerAway = true };

    private static string Innermost(Exception problem)
    {
        var inner = problem;
        while (inner.InnerException is not null)
            inner = inner.InnerException;
        return inner == problem ? problem.Message : $"{problem.Message}: {inner.Message}";
    }
}
