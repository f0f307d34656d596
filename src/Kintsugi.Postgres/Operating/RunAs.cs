using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Operating;

/// <summary>
/// User code (index expressions, triggers) runs under the database's own search_path and as the table's owner where the step says so: it was
/// written for that path, and it must not get a superuser's rights.
/// </summary>
internal static class RunAs
{
    public const string OwnerArgument = "owner";

    public static async ValueTask Owner(StepContext context, Func<ValueTask> work)
    {
        if (!context.Step.Arguments.TryGetValue(OwnerArgument, out var owner))
        {
            await work();
            return;
        }
        await context.Session.Execute($"SET ROLE {Quote.Identifier(owner)}; SET search_path TO DEFAULT", CancellationToken.None);
        try
        {
            await work();
        }
        finally
        {
            if (context.Session.IsOpen)
                await context.Session.Execute("RESET ROLE; SET search_path = pg_catalog, pg_temp", CancellationToken.None);
        }
    }
}
