using Kintsugi.Lab;
using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;

namespace Kintsugi.Postgres.Tests.Healing;

/// <summary>From injury to row-exact health, with every other relation of the database untouched.</summary>
public sealed class InjuryHealingTests(Servers servers) : IDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-heals-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(state, recursive: true);

    /// <summary>Injury, checks that find it, repair that mends it.</summary>
    private static readonly (string Injury, string[] Checks, string Repair)[] BySql =
    [
        ("opclass-order-changed", ["heap", "btree"], "reindex"),
        ("reindex-leftover", ["index-state"], "drop-leftover-index"),
        ("collation-version-changed", ["collation"], "rebuild-for-collation"),
        ("statistics-nonsense", ["catalog"], "analyze"),
        ("catalog-relhasindex-lost", ["catalog"], "catalog-mend"),
        ("catalog-dependency-dangling", ["catalog"], "catalog-mend"),
        ("catalog-namespace-dangling", ["catalog"], "catalog-mend"),
        ("catalog-type-missing", ["catalog"], "catalog-mend"),
        ("catalog-index-class-missing", ["catalog"], "catalog-mend"),
        ("catalog-attribute-missing", ["catalog"], "catalog-mend"),
        ("enum-label-gone", ["enum-value"], "restore-label"),
    ];

    private static readonly (string Injury, string[] Checks, string Repair)[] ByFile =
    [
        ("vm-lies", ["visibility-map"], "rebuild-visibility-map"),
        ("vm-garbage", ["pages", "visibility-map"], "rebuild-visibility-map"),
        ("fsm-garbage", ["pages", "free-space-map"], "rebuild-free-space-map"),
        ("brin-summary-narrow", ["heap", "index-keys"], "reindex"),
        ("btree-bit-rot", ["pages", "heap", "btree"], "reindex"),
        ("btree-leaf-zeroed", ["pages", "heap", "btree"], "reindex"),
        ("heap-page-header", ["pages", "heap-pages"], "mend-pages"),
        ("heap-page-torn", ["pages", "heap-pages"], "restore-pages"),
        ("heap-line-pointer-lost", ["pages", "heap-pages"], "mend-pages"),
        ("heap-tuple-header", ["pages", "heap-pages"], "mend-pages"),
        ("toast-chunk-size", ["pages", "heap-pages"], "mend-pages"),
        // Scans have marked the entries of the hidden row as dead meanwhile: its indexes are made anew in the second round.
        ("heap-xmax-set", ["pages", "heap-pages", "heap", "btree", "foreign-key"], "unhide-parent"),
    ];

    public static TheoryData<string, int> Sql => Matrix(BySql);

    public static TheoryData<string, int> Files => Matrix(ByFile);

    [Theory, MemberData(nameof(Sql))]
    public async Task Heals_what_sql_has_injured(string name, int major)
    {
        // A lost row may have to be read from the WAL, and on a shared server the checkpoints of others recycle it.
        await using var database = name == "catalog-attribute-missing" ? await servers.Cluster(major, Token) : await servers.Database(major, Token);
        await Heal(database, BySql.Single(item => item.Injury == name));
    }

    [Theory, MemberData(nameof(Files))]
    public async Task Heals_what_files_have_suffered(string name, int major)
    {
        await using var database = await servers.Cluster(major, Token);
        await Heal(database, ByFile.Single(item => item.Injury == name));
    }

    private async Task Heal(TestDatabase database, (string Injury, string[] Checks, string Repair) item)
    {
        var injury = Injuries.Named(item.Injury);
        var before = await database.Fingerprint(Token);
        var files = await FilesOf(database, injury);
        await Injury.Inflict(database.Cluster, database.Name, [injury], Token);
        StateDirectory.Open(state);
        var treatment = new Treatment(database.ConnectionString, database.Cluster.DataDirectory, state)
        {
            Checks = item.Checks,
            Approve = true,
            Policy = new Policy { Consent = true, Allow = Grade.Reversible },
        };
        Assert.NotEmpty((await treatment.Look(Token)).Findings);

        var cases = await treatment.Run(Token);

        // One repair may end two cases of one table: the second is then found to be none.
        Assert.All(cases, done => Assert.True(done.Outcome is Outcome.Healed or Outcome.Transient, $"{done.Case.Cause}: {done.Outcome.Word} {done.Outcome.Why}"));
        Assert.Contains(cases, done => done.Outcome is Outcome.Healed && done.Plan!.Repair == item.Repair);
        var left = (await treatment.Look(Token)).Examinations.Where(e => e.Verdict is Verdict.Damaged or Verdict.Unchecked)
            .Select(e => $"{e.Check} {e.Target.Name}: {e.Verdict.Why}");
        Assert.Equal([], left);
        var difference = before.CompareWith(await database.Fingerprint(Token));
        Assert.True(difference.IsEmpty, string.Join("; ", difference.Tables));
        Assert.Equal(files, await FilesOf(database, injury));
    }

    /// <summary>The files of every table, and of the indexes of all tables but the injured one.</summary>
    private static async Task<string?> FilesOf(TestDatabase database, Injury injury) => await database.Scalar<string>($"""
        SELECT string_agg(c.relname || ' ' || c.relfilenode, ', ' ORDER BY c.oid) FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
        WHERE c.oid >= 16384 AND c.relkind IN ('r', 't', 'm', 'i')
          AND (i.indrelid IS NULL OR i.indrelid NOT IN (SELECT t.oid FROM pg_class t WHERE t.relname = '{injury.Target.Relation.Replace("'", "''", StringComparison.Ordinal)}'))
        """, Token);

    private static TheoryData<string, int> Matrix((string Injury, string[] Checks, string Repair)[] items)
    {
        var data = new TheoryData<string, int>();
        foreach (var major in new[] { TestMajors.Newest, TestMajors.Oldest }.Distinct())
            foreach (var item in items)
                data.Add(item.Injury, major);
        return data;
    }
}
