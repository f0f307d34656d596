using Kintsugi.State;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Quartz;

namespace Kintsugi.Hosting;

/// <summary>Adds Kintsugi to a host.</summary>
public static class KintsugiServices
{
    /// <param name="section">The keys of config.yaml, as in <c>Kintsugi:Targets:0:Name</c>; a mistake in it stops the start.</param>
    /// <param name="adjust">Changes what is not in the section: the state directory, which no two instances share.</param>
    /// <exception cref="StateException">The state directory cannot be used.</exception>
    public static KintsugiBuilder AddKintsugi(
        this IServiceCollection services, IConfiguration section, Func<KintsugiServiceOptions, KintsugiServiceOptions>? adjust = null)
    {
        var options = new KintsugiServiceOptions { Settings = section };
        return services.AddKintsugi(adjust is null ? options : adjust(options));
    }

    /// <exception cref="StateException">The state directory cannot be used.</exception>
    public static KintsugiBuilder AddKintsugi(this IServiceCollection services, KintsugiServiceOptions options)
    {
        var state = options.OpenState();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.AddSingleton(state);
        services.AddSingleton<ConfigurationSource>();
        services.AddSingleton(provider => provider.GetRequiredService<ConfigurationSource>().Current.Ledger switch
        {
            { Postgres: not null } => throw new StateException("ledger: postgres is not supported yet: name a file with ledger: { sqlite: … }"),
            var ledger => ledger.Sqlite is { } path ? SqliteLedger.Open(path) : SqliteLedger.Open(state),
        });
        services.AddSingleton<ILedger>(provider => provider.GetRequiredService<SqliteLedger>());
        services.AddSingleton<IMemory>(provider => provider.GetRequiredService<SqliteLedger>());
        services.AddSingleton(_ => new ServiceStore(state.Service));
        services.AddSingleton<ServiceBook>();
        services.AddSingleton<AlertBook>();
        services.AddSingleton<OutsideWorld>();
        services.AddSingleton<IAlertSender, HttpSender>();
        services.AddSingleton<KintsugiMeter>();
        services.AddSingleton<AlertDesk>();
        services.AddSingleton<CaseAlerts>();
        services.AddSingleton<DeadMan>();
        services.AddSingleton<Triage>();
        services.AddSingleton<Timetable>();
        services.AddSingleton<TargetBoard>();
        services.AddSingleton<IKintsugiTargets>(provider => provider.GetRequiredService<TargetBoard>());
        services.AddSingleton<IJobBoard, JobBoard>();
        services.AddSingleton<ICaseDesk, CaseDesk>();
        services.AddSingleton<Rounds>();
        services.AddSingleton<Repairing>();
        services.AddSingleton<Reconciler>();
        services.AddTransient<ServiceJob>();
        services.AddSingleton<ServiceLock>();
        services.AddHostedService(provider => provider.GetRequiredService<ServiceLock>());
        services.AddQuartz(quartz =>
        {
            quartz.UseDefaultThreadPool(32);
            // A file of its own: the scheduler's writer lock never meets the ledger's.
            quartz.UsePersistentStore(store =>
            {
                store.UseSqlite(SqliteFactory.Instance, $"Data Source={state.Jobs}");
                store.ProvisionSchema();
            });
        });
        services.AddQuartzHostedService(hosted => hosted.WaitForJobsToComplete = true);
        // Stopped before Quartz, in the reverse order of their start.
        services.AddHostedService<Closing>();
        services.AddHostedService<Schedule>();
        services.AddHostedService<Outbox>();
        return new KintsugiBuilder(services);
    }
}
