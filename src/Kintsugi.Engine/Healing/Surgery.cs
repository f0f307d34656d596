namespace Kintsugi;

/// <summary>Performs a plan step by step: intent first, then the deed, then its end; leftovers of a failed step are removed at once.</summary>
internal sealed class Surgery(IOperation operation, Chart chart, TimeProvider clock)
{
    /// <summary>How long the removal of leftovers may take after the run was cancelled: it must not hang a shutdown.</summary>
    private static readonly TimeSpan TidyLimit = TimeSpan.FromSeconds(30);

    public async ValueTask<CaseReport> Perform(Plan plan, CaseReport report, CancellationToken cancellationToken)
    {
        for (var number = 0; number < plan.Steps.Count; number++)
        {
            var step = plan.Steps[number];
            var begun = clock.GetTimestamp();
            var remembered = await operation.Remember(step, cancellationToken);
            await chart.Intended(number, step, remembered, cancellationToken);
            StepResult result;
            try
            {
                result = await operation.Run(plan, step, remembered, cancellationToken);
            }
            catch (Exception problem) when (problem is HealingException or OperationCanceledException)
            {
                if (await Tidy(step, remembered) is { } leftover && problem is HealingException failure)
                    throw new HealingException($"{failure.Message}; and its leftovers could not be removed yet: {leftover.Message}", mayPass: true, failure)
                    {
                        LeavesDebris = true,
                    };
                throw;
            }
            await chart.Done(number, result);
            report = report with
            {
                Steps = [.. report.Steps, new StepReport(step, true, result.Note, clock.GetElapsedTime(begun))],
                RowsQuarantined = report.RowsQuarantined + result.RowsQuarantined,
                RowsChanged = report.RowsChanged + result.RowsChanged,
                RowsLost = report.RowsLost + result.RowsLost,
            };
        }
        return report;
    }

    /// <returns>Why leftovers are still there. The intent stays open in the ledger then, and the next run removes them before it begins anything.</returns>
    private async ValueTask<Exception?> Tidy(Step step, IReadOnlyDictionary<string, string> remembered)
    {
        using var limit = new CancellationTokenSource(TidyLimit, clock);
        try
        {
            await chart.Cleaned(await operation.CleanUp(step, remembered, limit.Token));
            return null;
        }
        catch (Exception second) when (second is HealingException or OperationCanceledException)
        {
            return second;
        }
    }
}
