namespace Kintsugi.Postgres.Operating;

/// <summary>Every kind of step that a plan may contain. The test of kills goes through this list: a mechanism without one fails.</summary>
public static class StepRunners
{
    public static IReadOnlyList<IStepRunner> All { get; } =
    [
        new SqlStep(),
        new UnboundedSqlStep(),
        new RebuildIndexStep(),
        new DropIndexStep(),
        new RebuildVisibilityMapStep(),
        new CatalogEditStep(),
        new RowBatchStep(),
        new RecreateRowsStep(),
        new SetSequenceStep(),
        new WritePagesStep(),
        new RestoreInitForkStep(),
    ];

    public static IStepRunner For(string kind) => All.FirstOrDefault(runner => runner.Kind == kind)
        ?? throw new HealingException($"this version of Kintsugi knows no step of kind {kind}; plan again", mayPass: false);
}
