using System.Collections.Concurrent;
using System.Text.Json;
using Kintsugi.Configuration;
using Kintsugi.Postgres;
using Kintsugi.Postgres.Connecting;
using Kintsugi.Postgres.Sessions;
using Microsoft.Extensions.Logging;

namespace Kintsugi.Hosting;

/// <summary>Connects to the servers under care; remembers how each was met last.</summary>
internal sealed class TargetBoard(
    ConfigurationSource configuration, KintsugiServiceOptions options, IEnumerable<ICheck> checks, IEnumerable<IRepair> repairs, ServiceState state,
    TimeProvider clock, ILogger<TargetBoard> log) : IKintsugiTargets
{
    private const string Scope = "target", Nodes = "nodes";

    private readonly ConcurrentDictionary<string, TargetStatus> seen = new();
    private readonly ConcurrentDictionary<string, DateTimeOffset> learned = new();

    public IReadOnlyList<TargetStatus> All => [.. configuration.Current.Targets.Select(target => seen.TryGetValue(target.Name, out var status)
        ? status with { Mode = target.Mode }
        : new TargetStatus(target.Name, target.Mode, null, null, null, null, [], null))];

    /// <exception cref="PatientException">It cannot be reached; the board remembers that.</exception>
    public async ValueTask<Ward> Enter(string name, CancellationToken cancellationToken)
    {
        var target = configuration.Current.Targets.FirstOrDefault(target => target.Name == name)
            ?? throw new ArgumentException($"there is no target {name}", nameof(name));
        SessionFactory? factory = null;
        try
        {
            (factory, var settings) = FactoryFor(target);
            var all = target.Databases.Count > 0 && target.Databases.Any(pattern => pattern.AsSpan().ContainsAny('*', '?'));
            var source = await PatientSource.Connect(
                factory, all ? null : target.Databases.Count > 0 ? target.Databases : settings.Databases,
                all ? database => !target.Databases.Any(pattern => System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pattern, database, false)) : null,
                target.DataDirectory, new Pace(null, clock), cancellationToken);
            Note(name, status => status with
            {
                Reachable = true, Reason = null, SystemIdentifier = source.Server.SystemIdentifier, Version = source.Server.Version,
                Databases = source.Databases,
            });
            if (state.SystemIdentifier == source.Server.SystemIdentifier && !configuration.Current.Ledger.AllowOnTarget)
                throw new PatientException(null, $"the ledger {state.Books.Place} lies on the server of target {name}: keep it on another server, or write "
                    + "ledger: { allow_on_target: true }");
            await Tell(name, cancellationToken);
            return new Ward(target, factory, source, RegistryFor(target));
        }
        catch (Exception problem) when (problem is PatientException or ConnectionSettingsException)
        {
            if (factory is not null)
                await factory.DisposeAsync();
            Log.Unreachable(log, name, problem.Message);
            Note(name, status => status with { Reachable = false, Reason = problem.Message });
            await Tell(name, cancellationToken);
            throw problem is PatientException ? problem : new PatientException(null, problem.Message, problem);
        }
    }

    /// <summary>One database, for one session at a time, and nothing is told of it: the node that leads the look has entered the target.</summary>
    /// <exception cref="PatientException">It cannot be reached from here.</exception>
    public async ValueTask<Ward> Visit(string name, string database, CancellationToken cancellationToken)
    {
        var target = configuration.Current.Targets.First(target => target.Name == name);
        SessionFactory? factory = null;
        try
        {
            (factory, _) = FactoryFor(target);
            var source = await PatientSource.Connect(factory, [database], null, target.DataDirectory, new Pace(null, clock), cancellationToken);
            return new Ward(target, factory, source, RegistryFor(target));
        }
        catch (Exception problem) when (problem is PatientException or ConnectionSettingsException)
        {
            if (factory is not null)
                await factory.DisposeAsync();
            throw problem is PatientException ? problem : new PatientException(null, problem.Message, problem);
        }
    }

    private (SessionFactory Factory, ConnectionSettings Settings) FactoryFor(TargetConfiguration target)
    {
        var settings = ConnectionResolver.Resolve(
            options.Request with { FileConnection = target.Connection?.Reveal(), FilePassword = target.Password, Prompt = PasswordPrompt.Never },
            options.Around);
        // A node that was killed must not go on reading while another reads the same.
        return (new SessionFactory(database => (database is null ? settings : settings.WithDatabase(database)).ToDriver(pooling: false).ConnectionString,
            new SessionLimits { EndsWithUs = state.IsShared }), settings);
    }

    /// <summary>What the application added comes after what is there: the gentler repair is asked first.</summary>
    public Registry RegistryFor(TargetConfiguration target)
    {
        var own = PostgresRegistry.Create(target.Consistency);
        return new Registry([.. own.Checks, .. checks], [.. own.Repairs, .. repairs]);
    }

    public async ValueTask Examined(string name, CancellationToken cancellationToken)
    {
        Note(name, status => status with { LastHealthCheck = clock.GetUtcNow() });
        await Tell(name, cancellationToken);
    }

    /// <summary>What other nodes saw of the targets: the one that leads may have entered none of them.</summary>
    public async ValueTask Learn(CancellationToken cancellationToken)
    {
        if (!state.IsShared)
            return;
        foreach (var told in await state.Ledger.Observations(Nodes, Scope, cancellationToken))
            if (!(learned.TryGetValue(told.Key, out var at) && at >= told.At) && JsonSerializer.Deserialize<TargetStatus>(told.Value) is { } status)
                (learned[told.Key], seen[told.Key]) = (told.At, status);
    }

    private async ValueTask Tell(string name, CancellationToken cancellationToken)
    {
        if (!state.IsShared)
            return;
        var now = state.Nodes.Now(clock);
        learned[name] = now;
        await state.Ledger.Observe(Nodes, [new Observation(Scope, name, JsonSerializer.Serialize(seen[name]), now)], cancellationToken);
    }

    private void Note(string name, Func<TargetStatus, TargetStatus> change) => seen.AddOrUpdate(
        name, _ => change(new TargetStatus(name, Mode.Heal, null, null, null, null, [], null)), (_, status) => change(status));
}

/// <summary>A target that was entered: its sessions end with it.</summary>
internal sealed record Ward(TargetConfiguration Target, SessionFactory Factory, PatientSource Source, Registry Registry) : IAsyncDisposable
{
    public string Server => Source.Server.SystemIdentifier;

    public ValueTask DisposeAsync() => Factory.DisposeAsync();
}
