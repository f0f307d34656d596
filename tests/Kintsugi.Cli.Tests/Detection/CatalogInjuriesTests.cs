using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests.Detection;

/// <summary>Rows of the system catalogs that contradict each other although every reference is whole: each is named by its rule, and nothing beside them.</summary>
public sealed class CatalogInjuriesTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private const string Sound = """
        CREATE TABLE c_sound (id int PRIMARY KEY, code varchar(9) COLLATE "C" UNIQUE, d numeric DEFAULT 1, tags text[]);
        CREATE INDEX ON c_sound USING gin (tags); CREATE INDEX ON c_sound USING hash (code); CREATE INDEX ON c_sound ((lower(code))) INCLUDE (d);
        CREATE VIEW c_sound_view AS SELECT s.id, t.code FROM c_sound s JOIN c_sound t USING (id);
        CREATE TABLE c_sound_child (extra int GENERATED ALWAYS AS IDENTITY) INHERITS (c_sound);
        """;

    /// <summary>What is made, what is done to it, and the words of the rule that must tell it.</summary>
    private static readonly (string Make, string Injure, string Told)[] Injuries =
    [
        ("CREATE TABLE c_type (a text); CREATE INDEX c_type_a ON c_type (a)",
            "UPDATE pg_attribute SET atttypid = 23, attlen = 4, attbyval = true, attalign = 'i' WHERE attrelid = 'c_type_a'::regclass", "of the type of its table's column"),
        ("CREATE TABLE c_class (a text); CREATE INDEX c_class_a ON c_class (a)",
            "UPDATE pg_index SET indclass = (SELECT oid::text FROM pg_opclass WHERE opcname = 'int4_ops' AND opcmethod = 403)::oidvector WHERE indexrelid = 'c_class_a'::regclass",
            "an operator class for the column's type"),
        ("CREATE TABLE c_am (a text); CREATE INDEX c_am_a ON c_am (a)",
            "UPDATE pg_class SET relam = 405 WHERE relname = 'c_am_a'", "the access method of its operator classes"),
        ("CREATE TABLE c_unlogged (a int PRIMARY KEY)", "UPDATE pg_class SET relpersistence = 'u' WHERE relname = 'c_unlogged'", "the persistence of its table"),
        ("CREATE TABLE c_unique (a int PRIMARY KEY)", "UPDATE pg_index SET indisunique = false WHERE indexrelid = 'c_unique_pkey'::regclass", "a unique index behind a primary key"),
        ("CREATE TABLE c_defer (a int PRIMARY KEY)", "UPDATE pg_index SET indimmediate = false WHERE indexrelid = 'c_defer_pkey'::regclass", "indimmediate"),
        ("CREATE TABLE c_drop (a int, b int)", "UPDATE pg_attribute SET attisdropped = true WHERE attrelid = 'c_drop'::regclass AND attname = 'b'", "no type for a column that is dropped"),
        ("CREATE TABLE c_coll (a text)", "UPDATE pg_attribute SET attcollation = 0 WHERE attrelid = 'c_coll'::regclass AND attname = 'a'", "a collation for a column"),
        ("CREATE TABLE c_ident (a int GENERATED ALWAYS AS IDENTITY)", "UPDATE pg_attribute SET attidentity = '' WHERE attrelid = 'c_ident'::regclass", "attidentity where"),
        ("CREATE TABLE c_gen (a int, b int GENERATED ALWAYS AS (a * 2) STORED)", "UPDATE pg_attribute SET attgenerated = '' WHERE attrelid = 'c_gen'::regclass", "attgenerated where"),
        ("CREATE TABLE c_par (a int, b text); CREATE TABLE c_kid () INHERITS (c_par)",
            "UPDATE pg_attribute SET attname = 'z' WHERE attrelid = 'c_kid'::regclass AND attname = 'b'", "each column of the parent"),
        ("CREATE TABLE c_part (a int) PARTITION BY LIST (a); CREATE TABLE c_part_d PARTITION OF c_part DEFAULT",
            "UPDATE pg_partitioned_table SET partdefid = 0 WHERE partrelid = 'c_part'::regclass", "partdefid to name"),
        ("CREATE TABLE c_trig (a int); CREATE FUNCTION c_fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; "
            + "CREATE TRIGGER c_t BEFORE INSERT ON c_trig FOR EACH ROW EXECUTE FUNCTION c_fire('x')",
            "UPDATE pg_trigger SET tgfoid = 'int4pl'::regproc WHERE tgname = 'c_t'", "a function that returns trigger"),
        ("CREATE TABLE c_up (a int PRIMARY KEY); CREATE TABLE c_ref (a int REFERENCES c_up ON DELETE CASCADE)",
            "UPDATE pg_constraint SET confdeltype = 'n' WHERE conrelid = 'c_ref'::regclass AND contype = 'f'", "the function of the foreign key's action"),
        ("CREATE AGGREGATE c_agg(int) (SFUNC = int4pl, STYPE = int)", "DELETE FROM pg_aggregate WHERE aggfnoid = 'c_agg'::regproc", "a row in pg_aggregate"),
        ("CREATE FUNCTION c_args(int) RETURNS int LANGUAGE sql AS 'SELECT 1'", "UPDATE pg_proc SET pronargs = 3 WHERE proname = 'c_args'", "as many arguments as pronargs"),
        ("CREATE OPERATOR === (leftarg = int, rightarg = int, function = int4eq)", "UPDATE pg_operator SET oprresult = 23 WHERE oprname = '==='", "the result type of its function"),
        ("CREATE TYPE c_mood AS ENUM ('a')", "UPDATE pg_type SET typinput = 'int4in'::regproc WHERE typname = 'c_mood'", "functions of its kind"),
        ("CREATE TYPE c_arr AS ENUM ('a')", "UPDATE pg_type SET typarray = 0 WHERE typname = 'c_arr'", "typarray to lead"),
        ("CREATE TABLE c_stat AS SELECT n AS a FROM generate_series(1, 100) n; ANALYZE c_stat",
            "UPDATE pg_statistic SET stakind1 = 77 WHERE starelid = 'c_stat'::regclass", "a kind of statistics"),
        ("CREATE TABLE c_letter (a text)", "UPDATE pg_attribute SET attstorage = 'z' WHERE attrelid = 'c_letter'::regclass AND attname = 'a'", "attstorage to be one of"),
        ("CREATE TABLE c_dep (a int); CREATE INDEX c_dep_a ON c_dep (a)", "DELETE FROM pg_depend WHERE objid = 'c_dep_a'::regclass", "a dependency of the index on its table"),
        ("CREATE TABLE c_con (a int UNIQUE)", "DELETE FROM pg_depend WHERE objid = 'c_con_a_key'::regclass", "a dependency of the index on the constraint"),
        ("CREATE TABLE c_toast (a text)", "DELETE FROM pg_depend WHERE objid = (SELECT reltoastrelid FROM pg_class WHERE relname = 'c_toast')", "a dependency of the TOAST table"),
        ("CREATE TABLE c_seen (a int); CREATE VIEW c_view AS SELECT a FROM c_seen", "DELETE FROM pg_depend WHERE refobjid = 'c_seen'::regclass AND classid = 'pg_rewrite'::regclass",
            "a dependency of the view"),
        ("CREATE TABLE c_big (a text); CREATE TABLE c_big2 (a text)", "UPDATE pg_class SET reltoastrelid = (SELECT reltoastrelid FROM pg_class WHERE relname = 'c_big') WHERE relname = 'c_big2'",
            "one table whose reltoastrelid leads to"),
    ];

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Each_is_told_by_its_rule(int major)
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(major, Stop);
        await database.Execute(Sound + string.Join("; ", Injuries.Select(injury => injury.Make)), Stop);
        var before = await Findings(terminal, database);
        Assert.Equal([], before);
        await database.Execute("SET allow_system_table_mods = on; " + string.Join("; ", Injuries.Select(injury => injury.Injure)), Stop);

        var told = await Findings(terminal, database);

        Assert.Equal([], Injuries.Select(injury => injury.Told).Where(words => !told.Exists(evidence => evidence.Contains(words, StringComparison.Ordinal))));
        Assert.DoesNotContain(told, evidence => evidence.Contains("c_sound", StringComparison.Ordinal));
    }

    private static async Task<List<string>> Findings(Terminal terminal, TestDatabase database)
    {
        var said = await terminal.On(database, "check", "--only", "catalog", "--format", "json");
        Assert.True(said.Code is ExitCodes.Sound or ExitCodes.Damage, said.All);
        return [.. said.Json.GetProperty("findings").EnumerateArray().Select(finding => finding.GetProperty("evidence").GetString()!)];
    }
}
