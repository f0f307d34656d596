using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Operating;

/// <summary>Statements in one transaction, within both time limits: all or nothing, so that a kill leaves no debris.</summary>
internal sealed class SqlStep : IStepRunner
{
    public const string Name = "sql";

    /// <summary>The argument of a step whose rows are nowhere after it.</summary>
    public const string LosesRows = "loses_rows";
    public string Kind => Name;

    public ValueTask<IReadOnlyDictionary<string, string>> Remember(Step step, WriteSession session, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyDictionary<string, string>>(new Dictionary<string, string>());

    public async ValueTask<StepResult> Run(StepContext context, CancellationToken cancellationToken)
    {
        // Several statements in one message are one transaction (protocol-flow, "Multiple Statements in a Simple Query").
        await context.Session.Execute("BEGIN", cancellationToken);
        try
        {
            var rows = await context.Session.Execute(context.Step.Do, cancellationToken);
            await context.Session.Execute("COMMIT", cancellationToken);
            return new StepResult { RowsLost = context.Step.Arguments.ContainsKey(LosesRows) ? rows : 0 };
        }
        catch (PatientException) when (context.Session.IsOpen)
        {
            await context.Session.Execute("ROLLBACK", CancellationToken.None);
            throw;
        }
    }

    public ValueTask<string?> CleanUp(
        Step step, IReadOnlyDictionary<string, string> remembered, WriteSession session, CancellationToken cancellationToken) =>
        ValueTask.FromResult<string?>(null);
}

/// <summary>One statement that cannot run in a transaction block or must not be ended half way: VACUUM, CHECKPOINT, plain REINDEX, VALIDATE.</summary>
internal sealed class UnboundedSqlStep : IStepRunner
{
    public const string Name = "sql-unbounded";
    public string Kind => Name;

    public ValueTask<IReadOnlyDictionary<string, string>> Remember(Step step, WriteSession session, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyDictionary<string, string>>(new Dictionary<string, string>());

    public async ValueTask<StepResult> Run(StepContext context, CancellationToken cancellationToken)
    {
        await RunAs.Owner(context, () => context.Session.ExecuteUnbounded(context.Step.Do, TimeSpan.FromSeconds(5), cancellationToken));
        return new StepResult();
    }

    public ValueTask<string?> CleanUp(
        Step step, IReadOnlyDictionary<string, string> remembered, WriteSession session, CancellationToken cancellationToken) =>
        ValueTask.FromResult<string?>(null);
}
