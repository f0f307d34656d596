using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Operating;

/// <summary>
/// One statement against system catalogs, in a transaction of its own. The rows that it will touch are kept as text in the record before it
/// runs, and it is undone unless it touched as many rows as were planned.
/// </summary>
internal sealed class CatalogEditStep : IStepRunner
{
    public const string Name = "catalog-edit";
    public string Kind => Name;

    public async ValueTask<IReadOnlyDictionary<string, string>> Remember(Step step, WriteSession session, CancellationToken cancellationToken) =>
        new Dictionary<string, string>
        {
            ["old_rows"] = string.Join('\n', await session.Rows(
                $"SELECT t::pg_catalog.text FROM pg_catalog.{Quote.Identifier(step["catalog"])} t WHERE {step["where"]}",
                row => row.GetString(0), cancellationToken)),
        };

    public async ValueTask<StepResult> Run(StepContext context, CancellationToken cancellationToken)
    {
        var expected = int.Parse(context.Step["rows"], System.Globalization.CultureInfo.InvariantCulture);
        await context.Session.Execute("BEGIN", cancellationToken);
        try
        {
            var touched = await context.Session.Execute(context.Step.Do, cancellationToken);
            if (touched != expected)
                throw new HealingException($"{context.Step.Do}: expected to touch {expected} rows, but it would be {touched}: "
                    + "somebody has changed the catalogs since the plan was made; nothing was changed", mayPass: false);
            await context.Session.Execute("COMMIT", cancellationToken);
            return new StepResult { RowsChanged = touched };
        }
        catch (Exception problem) when (problem is PatientException or HealingException && context.Session.IsOpen)
        {
            await context.Session.Execute("ROLLBACK", CancellationToken.None);
            throw;
        }
    }

    public ValueTask<string?> CleanUp(
        Step step, IReadOnlyDictionary<string, string> remembered, WriteSession session, CancellationToken cancellationToken) =>
        ValueTask.FromResult<string?>(null);
}
