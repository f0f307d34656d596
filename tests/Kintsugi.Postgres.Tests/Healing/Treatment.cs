using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Postgres.Snapshots;
using Kintsugi.State;
using Npgsql;

namespace Kintsugi.Postgres.Tests.Healing;

/// <summary>
/// Checks and heals a test's database as <c>kintsugi heal --yes</c> does: what a killed run left first, then rounds of scrub and repair,
/// with a ledger and snapshots on disk. Everything is opened anew for each run, as a new process would.
/// </summary>
internal sealed record Treatment(string ConnectionString, string? DataDirectory, string State)
{
    public IReadOnlyList<string> Checks { get; init; } = ["heap", "btree", "index-state"];
    public Func<Relation, bool>? Includes { get; init; }
    public Func<HealingCase, bool> Wants { get; init; } = _ => true;
    public Policy Policy { get; init; } = new() { Consent = true };
    public Depth Depth { get; init; } = Depth.Standard;
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(20);
    /// <summary>The one repair that a person named.</summary>
    public string? Repair { get; init; }

    public Func<string, long>? FreeBytes { get; init; }

    /// <summary>A person approves every plan that asks for it, and the case is healed again.</summary>
    public bool Approve { get; init; }

    /// <summary>Runs after each fact is durable, with its number in this run.</summary>
    public Func<Fact, int, ValueTask>? After { get; init; }

    /// <summary>Where the server answers at this moment, for one that moves (a failover); else <see cref="ConnectionString"/>.</summary>
    public Func<string>? Address { get; init; }

    public string Ledger => Path.Combine(State, "ledger.db");

    private string Database => new NpgsqlConnectionStringBuilder(ConnectionString).Database!;

    public async Task<ScrubReport> Look(CancellationToken cancellationToken)
    {
        await using var factory = Factory();
        var source = await Source(factory, cancellationToken);
        return await Scrub(Registry(), source, cancellationToken);
    }

    /// <returns>How each case stands, the finished ones of killed runs first.</returns>
    public async Task<IReadOnlyList<CaseReport>> Run(CancellationToken cancellationToken)
    {
        await using var factory = Factory();
        var source = await Source(factory, cancellationToken);
        await using var ledger = SqliteLedger.Open(Ledger);
        var told = new ToldLedger(ledger, After);
        var registry = Registry();
        var shelf = new SnapshotStore(Path.Combine(State, "snapshots"), new SnapshotStoreSettings(), TimeProvider.System, FreeBytes);
        var healer = new Healer(new Planner(registry, source, Repair), source, new Examiner(registry, source, Depth),
            new OperatingRoom(factory, source.Server, TimeProvider.System) { Patience = Patience }, new SnapshotTaker(shelf, factory), told,
            Policy, TimeProvider.System);
        var treated = new List<CaseReport>();
        foreach (var row in await ledger.Cases(source.Server.SystemIdentifier, cancellationToken))
        {
            var history = new CaseHistory(await ledger.FactsOf(row.Id, cancellationToken));
            if (history.Interrupted && history.ReadCase(row.Id) is { } unfinished)
                treated.Add(await Heal(healer, told, unfinished, cancellationToken));
        }
        ScrubReport report = null!;
        for (var round = 0; round < 4; round++)
        {
            report = await Scrub(registry, source, cancellationToken);
            var open = Diagnosis.Cases(report.Findings)
                .Where(found => Wants(found) && treated.All(done => done.Case.Id != found.Id)).ToList();
            foreach (var found in open)
                treated.Add(await Heal(healer, told, found, cancellationToken));
            if (open.Count == 0)
                break;
        }
        treated.AddRange(await new Closing(registry, source, ledger, source.Exists, TimeProvider.System).Close(
            source.Server.SystemIdentifier, report, row => treated.All(done => done.Case.Id != row.Id), cancellationToken));
        return treated;
    }

    private async Task<CaseReport> Heal(Healer healer, ToldLedger ledger, HealingCase healing, CancellationToken cancellationToken)
    {
        var report = await healer.Heal(healing, cancellationToken);
        if (!Approve || report.Outcome is not Outcome.Waiting { Plan: { NeedsApproval: not null } plan })
            return report;
        await ledger.Append(new Fact(healing.Id, healing.Target.Server, Facts.Approved, "approved", Facts.Data(("plan", plan.Hash), ("by", "a test")),
            TimeProvider.System.GetUtcNow()), cancellationToken);
        return await healer.Heal(healing, cancellationToken);
    }

    private async Task<ScrubReport> Scrub(Registry registry, PatientSource source, CancellationToken cancellationToken) =>
        await new Scrub(registry.Checks, source, TimeProvider.System, null)
            .Run(new ScrubSettings { Includes = Includes, Depth = Depth }, cancellationToken);

    private Registry Registry()
    {
        var all = PostgresRegistry.Create();
        return new Registry([.. Checks.Select(all.Check)], all.Repairs);
    }

    private SessionFactory Factory() => new(
        name => new NpgsqlConnectionStringBuilder(Address?.Invoke() ?? ConnectionString) { Database = name ?? Database }.ConnectionString,
        new SessionLimits());

    private async Task<PatientSource> Source(SessionFactory factory, CancellationToken cancellationToken) => await PatientSource.Connect(
        factory, [Database], null, DataDirectory, new Pace(null, TimeProvider.System), cancellationToken);
}

/// <summary>A ledger that tells of every fact once it is durable: the moment after which anything may die.</summary>
internal sealed class ToldLedger(ILedger ledger, Func<Fact, int, ValueTask>? after) : ILedger
{
    private int number;

    public async ValueTask Append(Fact fact, CancellationToken cancellationToken)
    {
        await ledger.Append(fact, cancellationToken);
        if (after is not null)
            await after(fact, number++);
    }

    public ValueTask<IReadOnlyList<Fact>> FactsOf(string caseId, CancellationToken cancellationToken) => ledger.FactsOf(caseId, cancellationToken);

    public ValueTask<IReadOnlyList<CaseRow>> Cases(string? server, CancellationToken cancellationToken) => ledger.Cases(server, cancellationToken);

    public ValueTask RecordProofs(string server, ScrubReport report, CancellationToken cancellationToken) =>
        ledger.RecordProofs(server, report, cancellationToken);
}
