using System.Net.Sockets;
using System.Runtime.InteropServices;
using Kintsugi.Hosting;
using Kintsugi.Configuration;
using Kintsugi.Postgres.Connecting;
using Kintsugi.State;
using Kintsugi.Web;
using Microsoft.Extensions.Hosting.Systemd;

namespace Kintsugi.Server;

/// <summary>The program kintsugi-server.</summary>
internal static class Daemon
{
    public static async Task<int> Run(string[] args, CancellationToken cancellationToken)
    {
        try
        {
            var testsAlerts = args is ["alerts", "test", ..];
            var arguments = ServerArguments.Read(testsAlerts ? args[2..] : args);
            await using var application = Build(arguments);
            if (testsAlerts)
                return await AlertsTest.Run(application.Services, cancellationToken);
            var configuration = application.Services.GetRequiredService<ConfigurationSource>();
            application.Services.GetRequiredService<ServiceLock>().Take();
            RequireFree(arguments.Listen ?? configuration.Current.Http.Listen);
            using var reload = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
            {
                signal.Cancel = true;
                configuration.Reload();
            });
            await application.RunAsync(cancellationToken);
            return 0;
        }
        catch (Exception problem) when (problem is UsageException or ConfigurationRefusedException or StateException or IOException)
        {
            await Console.Error.WriteLineAsync($"kintsugi: {problem.Message}");
            return 1;
        }
    }

    /// <summary>One sentence for what would otherwise be a page of a failed start.</summary>
    private static void RequireFree(ListenEndpoint place)
    {
        try
        {
            using var door = new TcpListener(place.Address ?? System.Net.IPAddress.Any, place.Port);
            door.Start();
        }
        catch (SocketException problem)
        {
            throw new UsageException($"{place.Address}:{place.Port} cannot be listened on ({problem.Message}): name another place with --listen or http: {{ listen: … }}");
        }
    }

    public static WebApplication Build(ServerArguments arguments)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddKintsugi(arguments.Options);
        builder.Services.AddSingleton<IAlertSender, MailSender>();
        builder.Services.AddSingleton<ITokenReader, OidcTokens>();
        builder.Services.AddSystemd();
        builder.Services.AddHostedService<FreedMemory>();
        // The grace of a repair, the removal of what its step left, and some more.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = arguments.Options.Grace + TimeSpan.FromSeconds(45));
        var configuration = Read(arguments);
        Telemetry.Add(builder.Services, configuration.Telemetry);
        builder.Logging.ClearProviders().SetMinimumLevel((LogLevel)configuration.Logging.Level)
            .AddFilter("Quartz", LogLevel.Warning).AddFilter("Microsoft", LogLevel.Warning);
        if (configuration.Logging.Format == LoggingFormat.Json)
            builder.Logging.AddJsonConsole();
        else
            builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        var listen = arguments.Listen ?? configuration.Http.Listen;
        var ofThisMachine = listen.Address is not null && System.Net.IPAddress.IsLoopback(listen.Address);
        if (!ofThisMachine && configuration.Http.ApiKeys.Count == 0 && configuration.Http.Oidc is null)
            throw new UsageException("others can reach this address: it needs http: { api_keys: [ { name: …, sha256: …, role: … } ] }, or listen on 127.0.0.1");
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            if (listen.Address is null)
                kestrel.ListenAnyIP(listen.Port);
            else
                kestrel.Listen(listen.Address, listen.Port);
        });
        var application = builder.Build();
        application.MapPrometheusScrapingEndpoint("/metrics");
        application.MapKintsugi("", new KintsugiWebOptions { ReadsFromLoopback = ofThisMachine });
        return application;
    }

    /// <summary>Before the host stands: how it logs and listens.</summary>
    private static KintsugiConfiguration Read(ServerArguments arguments) => new ConfigurationSource(
        arguments.Options, Microsoft.Extensions.Logging.Abstractions.NullLogger<ConfigurationSource>.Instance).Current;
}
