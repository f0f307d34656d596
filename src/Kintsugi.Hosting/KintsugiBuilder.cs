using Microsoft.Extensions.DependencyInjection;

namespace Kintsugi.Hosting;

/// <summary>Adds to a Kintsugi in an application what only that application knows.</summary>
public sealed class KintsugiBuilder(IServiceCollection services)
{
    public IServiceCollection Services { get; } = services;

    /// <summary>A check of the application's own. Its fault classes are among <see cref="Faults.All"/>; its layer says which job runs it.</summary>
    public KintsugiBuilder AddCheck<T>()
        where T : class, ICheck
    {
        Services.AddSingleton<ICheck, T>();
        return this;
    }

    /// <summary>A repair of the application's own, asked after those that are there. Its steps are of the kinds that Kintsugi runs.</summary>
    public KintsugiBuilder AddRepair<T>()
        where T : class, IRepair
    {
        Services.AddSingleton<IRepair, T>();
        return this;
    }
}
