using Kintsugi.Cli.Options;
using Kintsugi.Configuration;
using Kintsugi.Postgres;
using Kintsugi.Postgres.Connecting;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Cli.Runtime;

/// <summary>A connected patient with everything that a command needs around it.</summary>
internal sealed class Clinic : IAsyncDisposable
{
    private readonly bool hasFile;

    private Clinic(
        SessionFactory factory, PatientSource source, Registry registry, ConnectionSettings settings, KintsugiConfiguration configuration,
        bool hasFile)
    {
        Configuration = configuration;
        this.hasFile = hasFile;
        Factory = factory;
        Source = source;
        Registry = registry;
        Settings = settings;
    }

    public KintsugiConfiguration Configuration { get; }
    public SessionFactory Factory { get; }
    public PatientSource Source { get; }
    public Registry Registry { get; }
    public ConnectionSettings Settings { get; }
    public Capabilities Server => Source.Server;
    public Subject Subject => new(Server, Settings.ToString(), Registry);
    public BreakerLimits Breaker => Configuration.Breaker;

    /// <summary>What the owner's file says may be done at that place; consent and a wider grade are the run's to give.</summary>
    public Policy PolicyFor(HealingCase healing) => Limited(
        Configuration.PolicyFor(Configuration.Targets[0], healing.Database, healing.Target.Schema, healing.Target.Relation));

    public Policy Policy => Limited(Configuration.PolicyFor(Configuration.Targets[0], null, null, null));

    /// <summary>A person who gave no file has counted nothing beforehand: limits over time are the owner's to write.</summary>
    private Policy Limited(Policy policy) => hasFile ? policy : policy with { Limits = null };

    public static async ValueTask<Clinic> Connect(
        PatientArguments arguments, double? maxRate, CliContext context, CancellationToken cancellationToken)
    {
        await Shelf.StartOwedServer(context, cancellationToken);
        var (configuration, settings) = Resolve(arguments, context);
        foreach (var warning in settings.Warnings)
            await context.Error.WriteLineAsync($"kintsugi: warning: {warning}");
        if (settings.Prompt == PasswordPrompt.Always)
            settings = settings.WithTypedPassword(await Ask(settings, context, cancellationToken));
        try
        {
            return await Connect(settings, configuration, arguments, maxRate, context, cancellationToken);
        }
        catch (PatientException problem) when (problem.SqlState is "28P01" or null && settings.Password is null
            && settings.Prompt == PasswordPrompt.WhenNeeded && context.Interactive
            && problem.Message.Contains("password", StringComparison.OrdinalIgnoreCase))
        {
            settings = settings.WithTypedPassword(await Ask(settings, context, cancellationToken));
            return await Connect(settings, configuration, arguments, maxRate, context, cancellationToken);
        }
    }

    /// <summary>What the file says, and where the server is: by flags, file, environment, or the data directory that it runs on.</summary>
    public static (KintsugiConfiguration Configuration, ConnectionSettings Settings) Resolve(PatientArguments arguments, CliContext context)
    {
        var configuration = ConfigurationFile.Load(arguments.ConfigFile, context);
        var target = configuration.Targets[0];
        var place = target.Connection?.Reveal()
            ?? ((arguments.DataDirectory ?? target.DataDirectory) is { } directory ? RunningServers.AddressOf(directory) : null);
        return (configuration, ConnectionResolver.Resolve(
            arguments.Request with { FileConnection = place, FilePassword = target.Password }, context.Around));
    }

    /// <summary>Opens sessions with those settings, in that database or another.</summary>
    public static SessionFactory Doors(ConnectionSettings settings, bool keepsFirst = false) => new(
        database => (database is null ? settings : settings.WithDatabase(database)).ToDriver(pooling: false).ConnectionString,
        new SessionLimits { KeepsFirst = keepsFirst });

    /// <summary>The rooms in which a repair happens; opened by heal alone.</summary>
    public OperatingRoom Room(TimeProvider clock) => new(Factory, Server, clock);

    public async ValueTask DisposeAsync() => await Factory.DisposeAsync();

    private static async ValueTask<Clinic> Connect(
        ConnectionSettings settings, KintsugiConfiguration configuration, PatientArguments arguments, double? maxRate, CliContext context,
        CancellationToken cancellationToken)
    {
        var target = configuration.Targets[0];
        var directory = arguments.DataDirectory ?? target.DataDirectory;
        if (directory is not null)
            DataDirectory.Open(directory);
        var factory = Doors(settings, arguments.LooksAtOnce);
        try
        {
            var excluded = arguments.ExcludedDatabases.Select(text => NamePattern.Parse(text, mayHaveSchema: false)).ToList();
            var source = await PatientSource.Connect(
                factory, arguments.AllDatabases ? null : settings.Databases, name => excluded.Any(pattern => pattern.Matches(null, name)),
                directory, new Pace(maxRate * 1_000_000, context.Clock), cancellationToken);
            source.PageLedger = Memory.Pages(context);
            if (source.Databases.Count == 0)
                throw new UsageException(source.Closed.Count > 0 ? string.Join("; ", source.Closed.Values) : "no database is left to look at");
            return new Clinic(factory, source, PostgresRegistry.Create(target.Consistency), settings, configuration,
                ConfigurationFile.IsNamed(arguments.ConfigFile, context));
        }
        catch (Exception problem) when (problem is PatientException or UsageException)
        {
            await factory.DisposeAsync();
            if (problem is PatientException { InnerException: not null } refused)
                throw Refusal.Of(refused, settings);
            throw;
        }
    }

    private static async ValueTask<Secret> Ask(ConnectionSettings settings, CliContext context, CancellationToken cancellationToken)
    {
        if (!context.Interactive)
            throw new UsageException($"a password is needed for {settings}, and there is no terminal to ask on: use ~/.pgpass or PGPASSWORD");
        await context.Error.WriteAsync($"Password for user {settings.User}: ");
        return await PasswordPrompter.Read(context, cancellationToken);
    }
}
