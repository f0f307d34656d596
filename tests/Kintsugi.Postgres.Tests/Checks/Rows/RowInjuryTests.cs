using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Postgres.Tests.TheLab;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Tests.Checks.Rows;

/// <summary>Every injury of the lab to what rows say is found where it was made, and by nothing else anywhere else.</summary>
public sealed class RowInjuryTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static IReadOnlyList<ICheck> Checks => RowChecks.All(ConsistencyRules.None);

    /// <summary>The check of sequences knows damaged tuples as well, but only of a sequence's own row.</summary>
    private static bool IsOurs(Injury injury) => injury.Fault != Faults.HeapCorrupt && Checks.Any(check => check.Finds.Contains(injury.Fault));

    public static TheoryData<string, int> Ours => InjuryTests.Matrix(IsOurs);

    [Theory, MemberData(nameof(Ours))]
    public async Task Is_found_where_it_was_made(string name, int major)
    {
        var injury = Injuries.Named(name);
        await using var database = injury.StopsServer ? await servers.Cluster(major, Stop) : await servers.Database(major, Stop);
        await Injury.Inflict(database.Cluster, database.Name, [injury], Stop);

        var findings = new List<Finding>();
        foreach (var check in Checks)
            findings.AddRange((await Scrubbing.With(check, database, Stop)).Findings);

        Assert.Contains(findings, finding => finding.Fault == injury.Fault && IsAt(injury.Target, finding));
        // Some injuries write rows with keys of their own choice, far ahead of the sequence: that is told as well, and rightly.
        Assert.All(findings, finding => Assert.Contains(finding.Fault, injury.Alike.Append(injury.Fault).Append(Faults.SequenceBehind)));
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_parent_that_a_damaged_header_hides_is_suspected_before_its_children_are_touched(int major)
    {
        await using var own = await servers.Cluster(major, Stop);
        await own.Cluster.CreateExtensions(own.Name, Stop);
        var injury = Injuries.Named("heap-xmax-set");
        await Injury.Inflict(own.Cluster, own.Name, [injury], Stop);

        var report = await Scrubbing.With(new ForeignKeyCheck(ConsistencyRules.None), own, Stop);

        var orphans = report.Findings.Where(finding => finding.Facts[FactNames.ParentTable] == injury.Target.Relation).ToList();
        Assert.NotEmpty(orphans);
        Assert.All(orphans, finding => Assert.True(finding.Facts.ContainsKey(FactNames.ParentSuspect), finding.Evidence));
    }

    private static bool IsAt(InjuryTarget target, Finding finding) =>
        (finding.Target.Relation == target.Relation || finding.Facts.GetValueOrDefault(FactNames.RootTable) == target.Relation)
        && (target.Object is null || finding.Target.Object == target.Object);
}
