using Kintsugi.Lab;
using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;
using Npgsql;

namespace Kintsugi.Postgres.Tests.Healing.Table;

/// <summary>
/// Every injury of the lab, healed by Kintsugi, by the recipe of the guides and by the usual practice: docs/healing-table.md is made of what this measures.
/// Behind ./test --all; bench/healing-table runs it alone and writes the page.
/// </summary>
public sealed class HealingTableTests(Servers servers) : IDisposable
{
    /// <summary>Where the rows are kept until the page is written of them.</summary>
    private const string Folder = "KINTSUGI_HEALING_TABLE";

    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-table-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(state, recursive: true);

    private static int Major => TestMajors.Newest;

    private static IReadOnlyList<string> Names { get; } = [.. Injuries.All.Select(injury => injury.Name)];

    /// <summary>All of them, or those that were asked for.</summary>
    public static TheoryData<string> Chosen =>
        [.. Environment.GetEnvironmentVariable("KINTSUGI_HEALING_TABLE_ONLY") is { Length: > 0 } list ? Names.Intersect(list.Split(',')) : Names];

    [Theory, MemberData(nameof(Chosen))]
    public async Task No_treatment_of_ours_loses_more_than_the_injury_did(string name)
    {
        var folder = Environment.GetEnvironmentVariable(Folder);
        Assert.SkipUnless(folder is not null || Environment.GetEnvironmentVariable("KINTSUGI_TEST_ALL") == "1", "takes ten minutes and more: ./test --all");
        var injury = Injuries.Named(name);
        Assert.SkipWhen(injury.Oldest > Major, $"exists from {injury.Oldest} on");
        long struck = 0;
        var found = false;

        var ends = await Task.WhenAll(
            Measure(injury, async (database, loss) =>
            {
                struck = loss;
                (found, var quarantined, var note) = await Ours(database, injury);
                return (quarantined, note);
            }),
            Measure(injury, async (database, _) => (0, await HealingTableRivals.Brief(database, Token))),
            Measure(injury, async (database, _) => (0, await HealingTableRivals.Usual(database, Token))));
        var (kintsugi, brief, usual) = (ends[0], ends[1], ends[2]);

        if (folder is not null)
            HealingTableRow.Write(folder, new HealingTableRow(name, injury.Fault.Id, Major, struck, found, kintsugi, brief, usual));
        Assert.True(kintsugi.Lost <= struck, $"{struck} rows were struck and {kintsugi.Lost} are lost: {kintsugi.Note}");
    }

    /// <summary>Not a test: the last step of bench/healing-table.</summary>
    [Fact(Explicit = true)]
    public void Write_the_page()
    {
        var rows = HealingTableRow.Read(Environment.GetEnvironmentVariable(Folder)!, Names);
        Assert.NotEmpty(rows);
        File.WriteAllText(Environment.GetEnvironmentVariable("KINTSUGI_HEALING_TABLE_PAGE")!,
            HealingTableText.Of(rows, [.. Names.Except(rows.Select(row => row.Injury))]));
    }

    private async Task<HealingTableEnd> Measure(Injury injury, Func<TestDatabase, long, Task<(long Quarantined, string Note)>> treat)
    {
        await using var database = await servers.Cluster(Major, Token);
        var before = await database.Fingerprint(Token);
        var sizes = await Sizes(database);
        await Injury.Inflict(database.Cluster, database.Name, [injury], Token);
        if (await Closed(database) is { } closed)
        {
            var all = sizes.Values.Sum();
            await treat(database, all);
            return new HealingTableEnd(false, all, 0, closed);
        }
        var injured = await database.Fingerprint(Token);
        var (quarantined, note) = await treat(database, Loss(before.CompareWith(injured), sizes));
        var difference = before.CompareWith((await database.Fingerprint(Token)).Without(injured, before), "\"public\".\"playback_sessions\"");
        var left = await Left(database, injury);
        return new HealingTableEnd(difference.IsEmpty && left is null, Loss(difference, sizes), quarantined,
            string.Join("; ", new[] { difference.IsEmpty ? "" : difference.ToString().ReplaceLineEndings("; "), left ?? "", note }.Where(part => part.Length > 0)));
    }

    /// <summary>Why nobody can enter that database, or null. `heal -D`, which treats such clusters, is not measured here.</summary>
    private static async Task<string?> Closed(TestDatabase database)
    {
        if (!database.Cluster.IsRunning)
            return "the server does not start; heal -D is not measured here";
        try
        {
            await database.Scalar<int>("SELECT 1", Token);
            return null;
        }
        catch (PostgresException refused)
        {
            return $"the database cannot be entered: {refused.MessageText}; heal -D is not measured here";
        }
    }

    private static long Loss(FingerprintDifference difference, Dictionary<string, long> sizes) => difference.Tables.Sum(table =>
        table.Unreadable is null ? table.Lost.Count + table.Changed.Count : sizes.GetValueOrDefault(table.Table));

    private static async Task<Dictionary<string, long>> Sizes(TestDatabase database)
    {
        var sizes = new Dictionary<string, long>();
        foreach (var row in await database.Query("SELECT format('\"%s\".\"%s\"', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public'", Token))
            sizes[(string)row[0]!] = await database.Scalar<long>($"SELECT count(*) FROM ONLY {row[0]}", Token);
        return sizes;
    }

    private async Task<(bool Found, long Quarantined, string Note)> Ours(TestDatabase database, Injury injury)
    {
        if (await Closed(database) is not null)
            return (await FoundInFiles(database, injury), 0, "");
        var treatment = Treat(database, [.. PostgresRegistry.Create().Checks.Select(check => check.Id)]);
        StateDirectory.Open(treatment.State);
        var cases = await treatment.Run(Token);
        return (cases.Any(done => done.Case.Findings.Any(finding => Accuses(finding, injury))), cases.Sum(done => done.RowsQuarantined), string.Join("; ", cases
            .Where(done => done.Outcome is Outcome.Escalated or Outcome.Waiting).Select(done => $"{done.Case.Fault.Id} {done.Case.Target.Name}: {done.Outcome.Why}")));
    }

    private Treatment Treat(TestDatabase database, IReadOnlyList<string> checks) =>
        new(database.ConnectionString, database.Cluster.DataDirectory, Path.Combine(state, Guid.NewGuid().ToString("N")))
        {
            Checks = checks,
            Approve = true,
            Policy = new Policy
            {
                Consent = true,
                Allow = Grade.Reversible,
                ByFault = new Dictionary<string, PolicyChoice> { [Faults.ConstraintUnenforced.Id] = PolicyChoice.Auto },
            },
        };

    /// <summary>What the checks for that fault still say, or null.</summary>
    private async Task<string?> Left(TestDatabase database, Injury injury)
    {
        string[] checks = [.. PostgresRegistry.Create().Checks
            .Where(check => check.Finds.Any(fault => fault == injury.Fault || injury.Alike.Contains(fault))).Select(check => check.Id)];
        try
        {
            return (await Treat(database, checks).Look(Token)).Findings.FirstOrDefault(finding => Accuses(finding, injury)) is { } finding
                ? $"{finding.Fault.Id}: {finding.Evidence}" : null;
        }
        catch (PatientException lost)
        {
            return lost.Message;
        }
    }

    private static bool Accuses(Finding finding, Injury injury) => (finding.Fault == injury.Fault || injury.Alike.Contains(finding.Fault))
        && (injury.Target.Schema.Length == 0 || finding.Target.Relation == injury.Target.Relation || finding.Target.Object == injury.Target.Object);

    private static async Task<bool> FoundInFiles(TestDatabase database, Injury injury)
    {
        var source = await OfflineSource.Open(database.Cluster.DataDirectory, new Pace(null, TimeProvider.System), Token);
        var report = await new Scrub(PostgresRegistry.Create().Checks, source, TimeProvider.System, null).Run(new ScrubSettings(), Token);
        return report.Findings.Any(finding => Accuses(finding, injury));
    }
}
