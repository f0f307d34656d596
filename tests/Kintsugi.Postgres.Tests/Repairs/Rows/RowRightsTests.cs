using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Tests.Repairs.Rows;

/// <summary>With whose rights rows are touched, and who is asked before.</summary>
public sealed class RowRightsTests(Servers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_member_of_the_owners_role_heals_without_being_a_superuser(int major)
    {
        await using var database = await servers.Database(major, Token);
        await database.Execute($"""
            CREATE ROLE "owner; {database.Name}"; CREATE ROLE "mender_{database.Name}" LOGIN;
            GRANT "owner; {database.Name}" TO "mender_{database.Name}"; GRANT CREATE ON DATABASE {database.Name} TO "mender_{database.Name}";
            CREATE TABLE parents (id integer PRIMARY KEY);
            CREATE TABLE children (id integer PRIMARY KEY, parent integer REFERENCES parents);
            ALTER TABLE parents OWNER TO "owner; {database.Name}"; ALTER TABLE children OWNER TO "owner; {database.Name}";
            INSERT INTO parents VALUES (1); INSERT INTO children VALUES (1, 1);
            SET session_replication_role = replica; INSERT INTO children VALUES (2, 7)
            """, Token);
        await using var ward = await RowWard.OpenAs($"mender_{database.Name}", database, ConsistencyRules.None, "foreign-key");

        var report = await ward.Heal((await ward.Cases()).Single(found => found.Target.Relation == "children"));

        ward.AssertHealed(report);
        Assert.Equal(1, report.RowsQuarantined);
        Assert.Equal($"mender_{database.Name}", await database.Scalar<string>(
            "SELECT pg_get_userbyid(nspowner)::text FROM pg_namespace WHERE nspname = 'kintsugi'", Token));
        Assert.Equal(1L, await database.Scalar<long>("SELECT count(*) FROM children", Token));
        await database.Execute($"DROP SCHEMA kintsugi CASCADE; DROP TABLE children, parents; DROP OWNED BY \"mender_{database.Name}\"; "
            + $"DROP ROLE \"mender_{database.Name}\", \"owner; {database.Name}\"", Token);
    }

    [Fact]
    public async Task Triggers_run_with_the_owners_rights_and_not_with_a_superusers()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await database.Execute($"""
            CREATE ROLE "plain_{database.Name}"; GRANT CREATE, USAGE ON SCHEMA public TO "plain_{database.Name}";
            SET ROLE "plain_{database.Name}";
            CREATE TABLE parents (id integer PRIMARY KEY);
            CREATE TABLE children (id integer PRIMARY KEY, parent integer REFERENCES parents);
            CREATE TABLE seen (who name, super boolean);
            CREATE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS
              $$ BEGIN INSERT INTO seen SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user; RETURN OLD; END $$;
            CREATE TRIGGER spy BEFORE DELETE ON children FOR EACH ROW EXECUTE FUNCTION spy();
            RESET ROLE; SET session_replication_role = replica; INSERT INTO children VALUES (2, 7)
            """, Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");

        ward.AssertHealed(await ward.Heal(await ward.TheCase(Faults.RowOrphaned)));

        Assert.Equal($"plain_{database.Name}", await database.Scalar<string>("SELECT who::text FROM seen WHERE NOT super", Token));
        await database.Execute($"DROP TABLE children, parents, seen; DROP FUNCTION spy; DROP OWNED BY \"plain_{database.Name}\"; "
            + $"DROP ROLE \"plain_{database.Name}\"", Token);
    }

    [Fact]
    public async Task Where_every_table_is_published_a_person_is_asked_first()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await Injury.Inflict(database.Cluster, database.Name, [new OrphanSingle()], Token);
        await database.Execute("CREATE PUBLICATION everything FOR ALL TABLES", Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");

        var report = await ward.Heal(await ward.TheCase(Faults.RowOrphaned));

        Assert.Contains("publication everything", Assert.IsType<Outcome.Waiting>(report.Outcome).Reason);
        Assert.Contains(report.Plan!.Warnings, warning => warning.Contains("publication everything sends it", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_constraint_that_is_not_valid_is_asked_about_and_one_that_is_not_enforced_is_left_alone()
    {
        Assert.SkipUnless(TestMajors.Newest >= 18, "NOT ENFORCED came with 18");
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await database.Execute("""
            CREATE TABLE parents (id integer PRIMARY KEY);
            CREATE TABLE old_children (id integer PRIMARY KEY, parent integer);
            CREATE TABLE free_children (id integer PRIMARY KEY, parent integer REFERENCES parents NOT ENFORCED);
            INSERT INTO old_children VALUES (1, 5); INSERT INTO free_children VALUES (1, 5);
            ALTER TABLE old_children ADD CONSTRAINT late FOREIGN KEY (parent) REFERENCES parents NOT VALID
            """, Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");
        var cases = await ward.Cases();

        var late = await ward.Heal(cases.Single(found => found.Target.Relation == "old_children"));
        var free = await ward.Heal(cases.Single(found => found.Target.Relation == "free_children"));

        Assert.Contains("NOT VALID", Assert.IsType<Outcome.Waiting>(late.Outcome).Reason);
        Assert.Contains("NOT ENFORCED", Assert.IsType<Outcome.Escalated>(free.Outcome).Reason);
        Assert.Equal(2L, await database.Scalar<long>("SELECT (SELECT count(*) FROM old_children) + (SELECT count(*) FROM free_children)", Token));
    }
}
