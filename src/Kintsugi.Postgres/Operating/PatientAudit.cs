using Kintsugi.Postgres.Repairs.Rows;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Operating;

/// <summary>
/// The line in the patient's kintsugi.audit_log for a repair that is no transaction of rows: a concurrent rebuild cannot carry it along, so it
/// is written when the check has acquitted. Row repairs write theirs themselves.
/// </summary>
public static class PatientAudit
{
    public static async ValueTask Write(SessionFactory factory, string database, CaseReport report, CancellationToken cancellationToken)
    {
        if (report.Plan is not { Grade: Grade.Lossless } plan)
            return;
        await using var session = await factory.OpenWrite(database, cancellationToken);
        var owner = await PatientSchema.Ensure(session, cancellationToken);
        await session.Execute("BEGIN", cancellationToken);
        try
        {
            await session.Execute($"SET LOCAL ROLE {Quote.Identifier(owner)}", cancellationToken);
            await session.Execute("""
                INSERT INTO kintsugi.audit_log (event_type, severity, message, metadata, case_id)
                VALUES ('repaired', 'info', $1, $2::pg_catalog.jsonb, $3)
                """, cancellationToken, $"{report.Case.Cause}: {plan.Repair}, proven by the check that accused",
                Facts.Data(("plan", plan.Hash), ("repair", plan.Repair), ("fault", report.Case.Fault.Id), ("object", report.Case.Target.Name),
                    ("snapshot", report.Snapshot)), report.Case.Id);
            await session.Execute("COMMIT", cancellationToken);
        }
        catch (PatientException) when (session.IsOpen)
        {
            await session.Execute("ROLLBACK", CancellationToken.None);
            throw;
        }
    }
}
