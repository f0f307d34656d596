using System.Data.Common;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Rows;

/// <summary>
/// Reads the schema's expressions of all tables in one query. Where the server cannot write one of them as SQL (an enum's label in it is gone), the
/// tables are halved until it is found, so that it hides no other table's.
/// </summary>
internal static class TableByTable
{
    /// <param name="sql">A query whose column <paramref name="table"/> is the OID of the table that a row is about.</param>
    /// <returns>The rows, and for each table that has none because of its expressions an unchecked portion.</returns>
    public static async ValueTask<(IReadOnlyList<T> Rows, IReadOnlyList<Portion> Unreadable)> Read<T>(
        string sql, string table, Func<DbDataReader, T> read, Patient patient, CancellationToken cancellationToken)
    {
        try
        {
            return (await patient.Session.Rows(sql, read, cancellationToken), []);
        }
        catch (PatientException problem) when (IsAboutAnExpression(problem))
        {
            // Which table it is about is asked below.
        }
        var tables = patient.Relations.Relations.Where(relation => relation is { Kind: 'r' or 'm', IsCatalog: false }).ToList();
        var rows = new List<T>();
        var unreadable = new List<Portion>();
        var parts = new Stack<List<Relation>>([tables]);
        while (parts.TryPop(out var part))
        {
            try
            {
                rows.AddRange(await patient.Session.Rows($"SELECT * FROM ({sql}) q WHERE q.{table} = ANY ($1)", read, cancellationToken,
                    (object)part.Select(relation => relation.Oid).ToArray()));
            }
            catch (PatientException problem) when (IsAboutAnExpression(problem))
            {
                if (part is [var one])
                {
                    unreadable.Add(Unreadable(one, problem, patient));
                    continue;
                }
                parts.Push(part[(part.Count / 2)..]);
                parts.Push(part[..(part.Count / 2)]);
            }
        }
        return (rows, unreadable);
    }

    private static bool IsAboutAnExpression(PatientException problem) =>
        !problem.ConnectionLost && problem.SqlState is { } state && state != SqlStates.QueryCanceled && state != SqlStates.InsufficientPrivilege;

    private static Portion Unreadable(Relation table, PatientException problem, Patient patient) =>
        new(table.ToTarget(patient.Can.SystemIdentifier, patient.Relations.Database))
        {
            Relation = table,
            Settled = new Verdict.Unchecked($"what the schema says of its rows cannot be read: {problem.Message} (SQLSTATE {problem.SqlState}); "
                + "see the check definitions"),
        };
}
