using System.Globalization;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Operating;

/// <summary>Reads the largest value in use again while nobody can take a value, and restarts the sequence behind it; never backwards.</summary>
internal sealed class SetSequenceStep : IStepRunner
{
    public const string Name = "set-sequence";
    public string Kind => Name;

    public ValueTask<IReadOnlyDictionary<string, string>> Remember(Step step, WriteSession session, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyDictionary<string, string>>(new Dictionary<string, string>());

    public async ValueTask<StepResult> Run(StepContext context, CancellationToken cancellationToken)
    {
        await context.Session.Execute("BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE", cancellationToken);
        try
        {
            var note = await Set(context.Step, context.Session, cancellationToken);
            await context.Session.Execute("COMMIT", cancellationToken);
            return new StepResult(note);
        }
        catch (Exception problem) when (context.Session.IsOpen && problem is PatientException or HealingException or OperationCanceledException)
        {
            await context.Session.Execute("ROLLBACK", CancellationToken.None);
            throw;
        }
    }

    /// <summary>One transaction: a kill leaves the sequence as it was.</summary>
    public ValueTask<string?> CleanUp(
        Step step, IReadOnlyDictionary<string, string> remembered, WriteSession session, CancellationToken cancellationToken) =>
        ValueTask.FromResult<string?>(null);

    private static async ValueTask<string> Set(Step step, WriteSession session, CancellationToken cancellationToken)
    {
        // Changes nothing, for it does not cycle, and takes the lock that nextval waits for; LOCK TABLE knows no sequences.
        await session.Execute($"ALTER SEQUENCE {step["sequence"]} NO CYCLE", cancellationToken);
        var state = (await session.Rows($"""
            SELECT q.last_value, q.is_called, s.seqincrement, s.seqmax,
                   (SELECT pg_catalog.max({step["column"]})::pg_catalog.int8 FROM {step["from"]} WHERE {step["column"]} <= s.seqmax)
            FROM {step["sequence"]} q, pg_catalog.pg_sequence s WHERE s.seqrelid = pg_catalog.to_regclass($1)::pg_catalog.oid
            """, row => (Last: row.GetInt64(0), Called: row.GetBoolean(1), Increment: row.GetInt64(2), Max: row.GetInt64(3),
                Used: row.IsDBNull(4) ? (long?)null : row.GetInt64(4)), cancellationToken, step["sequence"]))[0];
        var next = (Int128)state.Last + (state.Called ? state.Increment : 0);
        if (state.Used is not { } used || used < next)
            return $"it is ahead by now: its next value is {next}";
        var safe = next + ((((Int128)used - next) / state.Increment) + 1) * state.Increment;
        if (safe > state.Max)
            throw new HealingException($"the value after the largest in use, {safe}, is beyond the end of the sequence ({state.Max})", mayPass: false);
        await session.Execute($"ALTER SEQUENCE {step["sequence"]} RESTART WITH {safe.ToString(CultureInfo.InvariantCulture)}", cancellationToken);
        return $"the next value is {safe}; it was {next}";
    }
}
