using Kintsugi.Lab;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Rules;
using Npgsql;

namespace Kintsugi.Postgres.Tests.Repairs.Rows;

/// <summary>Checks and heals the rows of one test's database as the command line does, with a ledger that lives as long as the test.</summary>
internal sealed class RowWard : IAsyncDisposable
{
    private readonly SessionFactory factory;
    private readonly Registry registry;
    private readonly string[] checks;

    private RowWard(TestDatabase database, SessionFactory factory, PatientSource source, ConsistencyRules rules, string[] checks)
    {
        Database = database;
        this.factory = factory;
        this.checks = checks;
        Source = source;
        registry = PostgresRegistry.Create(rules);
    }

    public TestDatabase Database { get; }
    public PatientSource Source { get; }
    public SessionFactory Factory => factory;
    public TestLedger Ledger { get; } = new();
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static Task<RowWard> Open(TestDatabase database, ConsistencyRules rules, params string[] checks) =>
        OpenAs("postgres", database, rules, checks);

    public static async Task<RowWard> OpenAs(string user, TestDatabase database, ConsistencyRules rules, params string[] checks)
    {
        var factory = new SessionFactory(name => new NpgsqlConnectionStringBuilder(database.Cluster.ConnectionString(name ?? database.Name))
        {
            Username = user,
        }.ConnectionString, new SessionLimits());
        return new RowWard(database, factory,
            await PatientSource.Connect(factory, [database.Name], null, null, new Pace(null, TimeProvider.System), Token), rules, checks);
    }

    public async Task<IReadOnlyList<HealingCase>> Cases()
    {
        Source.Forget(Database.Name);
        var report = await new Scrub([.. checks.Select(registry.Check)], Source, TimeProvider.System, null).Run(new ScrubSettings(), Token);
        return Diagnosis.Cases(report.Findings);
    }

    public async Task<HealingCase> TheCase(FaultClass fault)
    {
        var found = await Cases();
        return Assert.Single(found, healing => healing.Fault == fault);
    }

    public async Task<Prospect> Propose(HealingCase healing) => await new Planner(registry, Source).Propose(healing, Token);

    /// <summary>As heal --yes --allow reversible does.</summary>
    public async Task<CaseReport> Heal(HealingCase healing, Policy? policy = null, Func<IOperatingRoom, IOperatingRoom>? room = null)
    {
        IOperatingRoom real = new OperatingRoom(factory, Source.Server, TimeProvider.System) { Patience = TimeSpan.FromSeconds(2) };
        var healer = new Healer(new Planner(registry, Source), Source, new Examiner(registry, Source, Depth.Standard), room?.Invoke(real) ?? real,
            new NoSnapshots(), Ledger, policy ?? Permissive, TimeProvider.System);
        return await healer.Heal(healing, Token);
    }

    public static Policy Permissive { get; } = new() { Consent = true, Allow = Grade.Reversible };

    public void AssertHealed(CaseReport report) =>
        Assert.True(report.Outcome is Outcome.Healed, $"{report.Outcome.Word}: {report.Outcome.Why}\n{string.Join('\n', Ledger.Facts.Select(f => $"{f.Kind}: {f.Summary}"))}");

    public async ValueTask DisposeAsync() => await factory.DisposeAsync();

    private sealed class NoSnapshots : ISnapshots
    {
        public ValueTask<string?> Take(HealingCase healing, Plan plan, Patient patient, CancellationToken cancellationToken) =>
            plan.Snapshot is SnapshotGrade.Rows or SnapshotGrade.None
                ? ValueTask.FromResult<string?>(null)
                : throw new HealingException("these tests keep no files", mayPass: false);
    }
}

internal sealed class TestLedger : ILedger
{
    public List<Fact> Facts { get; } = [];

    public ValueTask Append(Fact fact, CancellationToken cancellationToken)
    {
        Facts.Add(fact with { Number = Facts.Count });
        return ValueTask.CompletedTask;
    }

    public ValueTask<IReadOnlyList<Fact>> FactsOf(string caseId, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<Fact>>([.. Facts.Where(fact => fact.Case == caseId)]);

    public ValueTask<IReadOnlyList<CaseRow>> Cases(string? server, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<CaseRow>>([]);

    public ValueTask RecordProofs(string server, ScrubReport report, CancellationToken cancellationToken) => ValueTask.CompletedTask;
}
