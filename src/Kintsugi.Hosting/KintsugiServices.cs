using Kintsugi.State;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Abstractions;
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
        var ledger = new ConfigurationSource(options, NullLogger<ConfigurationSource>.Instance).Current.Ledger;
        var shared = ServiceState.Connection(ledger, options.Around);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.AddSingleton(state);
        services.AddSingleton<ConfigurationSource>();
        services.AddSingleton(_ => new ServiceState(ledger, state, options.Around));
        services.AddSingleton(provider => provider.GetRequiredService<ServiceState>().Ledger);
        services.AddSingleton<ILedger>(provider => provider.GetRequiredService<ServiceState>().Ledger);
        services.AddSingleton<IMemory>(provider => provider.GetRequiredService<ServiceState>().Ledger);
        services.AddSingleton(provider => provider.GetRequiredService<ServiceState>() is var kept ? new ServiceBook(kept.Books, kept.Node) : null!);
        services.AddSingleton(provider => new AlertBook(provider.GetRequiredService<ServiceState>().Books));
        services.AddSingleton<Leadership>();
        services.AddSingleton<OutsideWorld>();
        services.AddSingleton<IAlertSender, HttpSender>();
        services.AddSingleton<KintsugiMeter>();
        services.AddSingleton<KintsugiTraces>();
        services.AddSingleton<AlertDesk>();
        services.AddSingleton<CaseAlerts>();
        services.AddSingleton<DeadMan>();
        services.AddSingleton<Triage>();
        services.AddSingleton<Timetable>();
        services.AddSingleton<TargetBoard>();
        services.AddSingleton<IKintsugiTargets>(provider => provider.GetRequiredService<TargetBoard>());
        services.AddSingleton<IJobBoard, JobBoard>();
        services.AddSingleton<ICaseDesk, CaseDesk>();
        services.AddSingleton<LookTurns>();
        services.AddSingleton<Rounds>();
        services.AddSingleton<Repairing>();
        services.AddSingleton<Reconciler>();
        services.AddTransient<ServiceJob>();
        services.AddSingleton<ServiceLock>();
        services.AddHostedService(provider => provider.GetRequiredService<ServiceLock>());
        services.AddHostedService<LedgerGround>();
        // Stopped after Quartz: a node is there until its last job has ended.
        services.AddHostedService(provider => provider.GetRequiredService<Leadership>());
        services.AddSingleton<KintsugiScheduler>();
        services.AddQuartz(KintsugiScheduler.Name, quartz => JobStore.Configure(quartz, shared, ledger.Lease, state));
        services.AddQuartzHostedService(hosted => hosted.WaitForJobsToComplete = true);
        // Stopped before Quartz, in the reverse order of their start.
        services.AddHostedService<Closing>();
        services.AddHostedService<Schedule>();
        services.AddHostedService<Outbox>();
        services.AddHostedService<Helping>();
        return new KintsugiBuilder(services);
    }
}
