using Kintsugi.Postgres.Connecting;

namespace Kintsugi.Cli.Runtime;

/// <summary>Why the server did not let us in, with the next thing to do (PostgreSQL manual, appendix A: classes 08, 28, 3D, 53, 57).</summary>
internal static class Refusal
{
    public static PatientException Of(PatientException problem, ConnectionSettings settings)
    {
        var next = problem.SqlState switch
        {
            null => "Is the server running there? Name it with -h and -p, or PGHOST and PGPORT",
            "28P01" => "Give the password in ~/.pgpass, PGPASSWORD or with -W",
            "28000" => "Name another role with -U, or let this one in: pg_hba.conf on the server, CREATE ROLE … LOGIN",
            "3D000" => "Name one that exists with -d, or take all with --all",
            "42501" => $"A superuser can change that: GRANT CONNECT ON DATABASE \"{settings.Database}\" TO \"{settings.User}\"",
            "53300" => "Try again when sessions have ended, or raise max_connections",
            "57P03" => "The server is starting or stopping: try again when it accepts connections",
            _ => "Nothing was done",
        };
        return new PatientException(problem.SqlState, $"cannot connect to {settings}: {problem.Message}. {next}", problem);
    }
}
