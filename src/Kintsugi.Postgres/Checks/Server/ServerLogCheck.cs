using System.Text;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Server;

/// <summary>
/// The end of the server's own log, where it can be read: errors of class XX and messages that mean damage. They come from
/// queries that users
/// ran, perhaps in a place that no check has reached yet.
/// </summary>
public sealed class ServerLogCheck : ICheck
{
    /// <summary>How much of the end is read: days of a quiet log, an hour of a busy one.</summary>
    private const long TailBytes = 4 << 20;

    private const int MaxFindings = 50;

    public string Id => "server-log";
    public string Proves => "the end of the server's log speaks of no damage";
    public Layer Layer => Layer.Server;
    public Depth Depth => Depth.Quick;
    public IReadOnlyList<FaultClass> Finds => [Faults.CorruptionLogged];
    public Needs Needs { get; } = new() { Relations = false };
    public Scope Scope => Scope.Server;

    public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<Portion>>([new Portion(Place(patient))]);

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        string? path;
        try
        {
            path = await Current(patient, cancellationToken);
            if (path is null)
                return new Verdict.NotApplicable("the server keeps no log file of its own (logging_collector is off): its log "
                    + "goes where the system put it");
            return Judge(await Read(path, patient, cancellationToken), path, patient);
        }
        catch (PatientException problem) when (problem.SqlState == SqlStates.InsufficientPrivilege)
        {
            return new Verdict.NotApplicable($"role {patient.Can.User} may not read the server's log; GRANT pg_monitor, "
                + $"pg_read_server_files TO {patient.Can.User}");
        }
    }

    /// <summary>The log's end, or null where the server keeps none of its own.</summary>
    internal static async ValueTask<string?> Tail(Patient patient, CancellationToken cancellationToken) =>
        await Current(patient, cancellationToken) is { } path ? await Read(path, patient, cancellationToken) : null;

    private static async ValueTask<string?> Current(Patient patient, CancellationToken cancellationToken) => (await patient.Session.Rows(
        "SELECT pg_catalog.pg_current_logfile()", row => row.IsDBNull(0) ? null : row.GetString(0), cancellationToken))[0];

    private static async ValueTask<string> Read(string path, Patient patient, CancellationToken cancellationToken)
    {
        if (patient.Files is { } files && files.Length(path) is var length and >= 0)
        {
            var buffer = new byte[(int)Math.Min(length, TailBytes)];
            var read = await files.Read(path, length - buffer.Length, buffer, cancellationToken);
            return Encoding.UTF8.GetString(buffer, 0, read);
        }
        // As bytes: a log may hold anything that a client has sent, in any encoding.
        var bytes = await patient.Session.Rows("""
            SELECT pg_catalog.pg_read_binary_file($1, greatest(f.size - $2, 0), $2, true)
                FROM pg_catalog.pg_stat_file($1, true) f WHERE f.size IS NOT NULL
            """, row => row.IsDBNull(0) ? [] : row.GetFieldValue<byte[]>(0), cancellationToken, path, TailBytes);
        return bytes.Count == 0 ? "" : Encoding.UTF8.GetString(bytes[0]);
    }

    private static Verdict Judge(string log, string path, Patient patient) =>
        Verdict.From([.. LogLines.OfDamage(log).GroupBy(trace => trace.Gist).Take(MaxFindings).Select(group =>
            new Finding(Faults.CorruptionLogged, Place(patient) with { Rule = group.Key },
                $"{path} says it {group.Count()} times, the last: {group.Last().Text}")
            {
                Rows = group.Count(),
                Hint = "kintsugi check --depth standard on the database of that line; it names what is damaged, or nothing is "
                    + "any more",
            })]);

    private static Target Place(Patient patient) => new() { Server = patient.Can.SystemIdentifier, Kind = TargetKind.Server };
}
