using Kintsugi.State;
using Microsoft.Data.Sqlite;
using Npgsql;
using Quartz;

namespace Kintsugi.Hosting;

/// <summary>Where Quartz keeps its jobs: a file of this node, or clustered tables beside the ledger of all nodes.</summary>
internal static class JobStore
{
    /// <param name="shared">Npgsql's text; null for a file.</param>
    /// <param name="lease">A node that was silent for so long has its jobs taken over.</param>
    public static void Configure(IQuartzBuilder quartz, string? shared, TimeSpan lease, StateDirectory state)
    {
        quartz.UseDefaultThreadPool(32);
        quartz.UsePersistentStore(store =>
        {
            if (shared is null)
                // A file of its own: the scheduler's writer lock never meets the ledger's.
                store.UseSqlite(SqliteFactory.Instance, $"Data Source={state.Jobs}");
            else
            {
                store.UsePostgres(NpgsqlFactory.Instance, PostgresStore.Settings(shared).ConnectionString);
                store.UseClustering(cluster =>
                {
                    // Seen dead after its own beat, ours and the threshold: within the lease.
                    cluster.CheckinInterval = lease / 5;
                    cluster.CheckinMisfireThreshold = lease * 3 / 5;
                });
            }
            store.ProvisionSchema();
        });
        if (shared is not null)
            quartz.ConfigureScheduler(scheduler => scheduler.InstanceId = ServiceState.NameOf(state));
    }
}
