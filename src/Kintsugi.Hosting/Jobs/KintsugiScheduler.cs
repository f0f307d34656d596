using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace Kintsugi.Hosting;

/// <summary>Kintsugi's own scheduler: a host application's default one has its own jobs, threads and store.</summary>
internal sealed class KintsugiScheduler([FromKeyedServices(KintsugiScheduler.Name)] ISchedulerFactory factory)
{
    public const string Name = "kintsugi";

    public ValueTask<IScheduler> Get(CancellationToken cancellationToken) => factory.GetScheduler(cancellationToken);
}
