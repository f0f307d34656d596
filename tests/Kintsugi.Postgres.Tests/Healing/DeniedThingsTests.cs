using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;

namespace Kintsugi.Postgres.Tests.Healing;

/// <summary>Catalog rows that deny what is there: the thing itself is whole, and only what says so is put right.</summary>
public sealed class DeniedThingsTests(Servers servers) : IDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-denied-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(state, recursive: true);

    [Fact]
    public async Task Flags_that_deny_children_checks_partitions_and_defaults_are_set_again()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await database.Execute("""
            CREATE TABLE trunk (id integer); CREATE TABLE branch () INHERITS (trunk); INSERT INTO branch VALUES (5);
            CREATE TABLE guarded (id integer, CONSTRAINT positive CHECK (id > 0)); INSERT INTO guarded VALUES (1);
            CREATE TABLE parted (id integer) PARTITION BY RANGE (id); CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (9);
            CREATE TABLE "de""faulted" (id integer, "wo""rd" text DEFAULT 'said'); INSERT INTO "de""faulted" VALUES (1)
            """, Token);
        var before = await database.Fingerprint(Token);
        await database.Execute("""
            UPDATE pg_class SET relhassubclass = false WHERE relname = 'trunk'; UPDATE pg_class SET relchecks = 0 WHERE relname = 'guarded';
            UPDATE pg_class SET relispartition = false WHERE relname = 'part';
            UPDATE pg_attribute SET atthasdef = false WHERE attrelid = '"de""faulted"'::regclass AND attname = 'wo"rd'
            """, Token);

        var cases = await Treat(database, "catalog");

        Assert.Equal(4, cases.Count);
        Assert.All(cases, done => Assert.True(done.Outcome is Outcome.Healed && done.Plan!.Repair == "catalog-mend", $"{done.Case.Cause}: {done.Outcome.Why}"));
        Assert.True(before.CompareWith(await database.Fingerprint(Token)).IsEmpty);
        Assert.Equal(5, await database.Scalar<int>("SELECT id FROM trunk", Token));
        Assert.Equal("said", await database.Scalar<string>("INSERT INTO \"de\"\"faulted\" VALUES (2) RETURNING \"wo\"\"rd\"", Token));
        var refused = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => database.Execute("INSERT INTO guarded VALUES (-1)", Token));
        Assert.Equal("23514", refused.SqlState);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Invalid_indexes_on_which_the_schema_rests_are_rebuilt_and_others_wait_for_a_person(int major)
    {
        await using var database = await servers.Database(major, Token);
        await database.Execute("""
            CREATE TABLE kept (id integer PRIMARY KEY, code integer CONSTRAINT kept_code UNIQUE, span int4range, EXCLUDE USING gist (span WITH &&));
            INSERT INTO kept SELECT i, i, int4range(i, i + 1) FROM generate_series(1, 300) i; CREATE INDEX kept_loose ON kept (code, id);
            CREATE TABLE copied (id integer NOT NULL, code integer); CREATE UNIQUE INDEX copied_id ON copied (id);
            ALTER TABLE copied REPLICA IDENTITY USING INDEX copied_id; INSERT INTO copied SELECT i, i FROM generate_series(1, 300) i
            """, Token);
        var before = await database.Fingerprint(Token);
        await database.Execute("""
            UPDATE pg_index SET indisvalid = false WHERE indexrelid = ANY (ARRAY['kept_pkey', 'kept_code', 'kept_span_excl', 'copied_id', 'kept_loose']::regclass[])
            """, Token);

        var cases = (await Treat(database, "index-state", approve: false)).ToDictionary(done => done.Case.Target.Object!);

        Assert.Equal(["copied_id", "kept_code", "kept_loose", "kept_pkey", "kept_span_excl"], cases.Keys.Order(StringComparer.Ordinal));
        Assert.All(cases.Where(pair => pair.Key != "kept_loose"), pair => Assert.True(
            pair.Value.Outcome is Outcome.Healed && pair.Value.Plan!.Repair == "reindex", $"{pair.Key}: {pair.Value.Outcome.Word} {pair.Value.Outcome.Why}"));
        Assert.IsType<Outcome.Waiting>(cases["kept_loose"].Outcome);
        Assert.True(before.CompareWith(await database.Fingerprint(Token)).IsEmpty);
        Assert.Equal("copied_id kept_code kept_pkey kept_span_excl", await database.Scalar<string>("""
            SELECT string_agg(indexrelid::regclass::text, ' ' ORDER BY indexrelid::regclass::text) FROM pg_index
            WHERE indrelid IN ('kept'::regclass, 'copied'::regclass) AND indisvalid AND (indexrelid <> 'copied_id'::regclass OR indisreplident)
            """, Token));
    }

    private async Task<IReadOnlyList<CaseReport>> Treat(TestDatabase database, string check, bool approve = true)
    {
        StateDirectory.Open(state);
        var treatment = new Treatment(database.ConnectionString, database.Cluster.DataDirectory, state)
        {
            Checks = [check],
            Approve = approve,
            Policy = new Policy { Consent = true, Allow = Grade.Reversible },
        };
        Assert.NotEmpty((await treatment.Look(Token)).Findings);
        return await treatment.Run(Token);
    }
}
