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
        CREATE TABLE c_sound_key (a int, b int, up int, note text, CHECK (a > 0 AND note <> ''), CHECK (c_sound_key IS NOT NULL), CHECK (tableoid > 0),
            PRIMARY KEY (b, a) INCLUDE (note), FOREIGN KEY (up, b) REFERENCES c_sound_key (b, a), EXCLUDE USING btree ((a + b) WITH =) WHERE (up > 0));
        CREATE TABLE c_sound_part (a int, b text, c int REFERENCES c_sound, PRIMARY KEY (a, b)) PARTITION BY RANGE (b); CREATE TABLE c_sound_expr (a int, b text) PARTITION BY RANGE (b, (a + 1));
        CREATE TABLE c_sound_part_1 (c int, b text NOT NULL, gone int, a int NOT NULL); ALTER TABLE c_sound_part_1 DROP COLUMN gone;
        ALTER TABLE c_sound_part ATTACH PARTITION c_sound_part_1 DEFAULT; CREATE TABLE c_sound_ref (b text, a int, FOREIGN KEY (a, b) REFERENCES c_sound_part);
        CREATE TYPE c_sound_mood AS ENUM ('a', 'd'); ALTER TYPE c_sound_mood ADD VALUE 'b' AFTER 'a'; ALTER TYPE c_sound_mood ADD VALUE 'z';
        ALTER TYPE c_sound_mood ADD VALUE '0' BEFORE 'a'; INSERT INTO c_sound SELECT n, n FROM generate_series(1, 300) n;
        CREATE TABLE c_sound_used (a varchar(9), d date, m c_sound_mood, i oid); INSERT INTO c_sound_used SELECT n, now(), 'a', n FROM generate_series(1, 300) n; ANALYZE;
        ALTER TABLE c_sound_used ALTER a TYPE text, ALTER i TYPE int8 USING 1, DROP COLUMN d; CLUSTER c_sound USING c_sound_pkey;
        CREATE DOMAIN c_sound_domain AS c_sound_mood[] CHECK (cardinality(VALUE) > 0); CREATE TABLE c_sound_derived (m c_sound_mood DEFAULT 'a', d c_sound_domain, s c_sound_used,
            CHECK (m > 'a' OR d IS NULL OR tableoid > 0), CHECK (1 > 0));
        CREATE SEQUENCE c_sound_small AS smallint;
        CREATE UNIQUE INDEX c_sound_later ON c_sound_used (i, a); TRUNCATE c_sound_used; ALTER TABLE c_sound_used ALTER i SET NOT NULL, ADD PRIMARY KEY USING INDEX c_sound_later;
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
        ("CREATE TABLE k_up (a int PRIMARY KEY, b int UNIQUE); CREATE TABLE k_ref (a int, b int REFERENCES k_up)",
            "UPDATE pg_constraint SET conkey = '{1}' WHERE conrelid = 'k_ref'::regclass AND contype = 'f'", "the columns that pg_depend recorded for the constraint"),
        ("CREATE TABLE k_up2 (a int PRIMARY KEY, b int UNIQUE); CREATE TABLE k_ref2 (a int REFERENCES k_up2)",
            "UPDATE pg_constraint SET confkey = '{2}' WHERE conrelid = 'k_ref2'::regclass AND contype = 'f'", "the referenced columns that pg_depend recorded"),
        ("CREATE TABLE k_up3 (a int PRIMARY KEY, b int UNIQUE); CREATE TABLE k_ref3 (a int REFERENCES k_up3)",
            "UPDATE pg_constraint SET conindid = 'k_up3_b_key'::regclass WHERE conrelid = 'k_ref3'::regclass AND contype = 'f'", "a unique index over the referenced columns"),
        ("CREATE TABLE k_uni (a int UNIQUE, b int UNIQUE)",
            "UPDATE pg_constraint SET conkey = '{2}' WHERE conrelid = 'k_uni'::regclass AND conname = 'k_uni_a_key'", "the columns of the index that enforces"),
        ("CREATE TABLE k_check (a int, b int, CHECK (b > 0))",
            "UPDATE pg_constraint SET conkey = '{1}' WHERE conrelid = 'k_check'::regclass AND contype = 'c'", "the columns that pg_depend recorded for the constraint"),
        ("CREATE TABLE k_gone AS SELECT n AS a, n AS b FROM generate_series(1, 100) n; ANALYZE k_gone",
            "UPDATE pg_attribute SET attisdropped = true, atttypid = 0, attname = '........pg.dropped.2........' WHERE attrelid = 'k_gone'::regclass AND attname = 'b'",
            "nothing that is left of a column that is dropped"),
        ("CREATE TABLE k_type AS SELECT n AS a FROM generate_series(1, 100) n; ANALYZE k_type",
            "UPDATE pg_attribute SET atttypid = 'oid'::regtype WHERE attrelid = 'k_type'::regclass AND attname = 'a'", "the type that its statistics were made for"),
        ("CREATE TABLE k_part (a int, b int) PARTITION BY RANGE (b)", "UPDATE pg_partitioned_table SET partattrs = '1' WHERE partrelid = 'k_part'::regclass",
            "the columns that pg_depend recorded for the partition key"),
        ("CREATE TABLE k_idx (a int, b int); CREATE INDEX k_idx_b ON k_idx (b)", "UPDATE pg_index SET indkey = '1' WHERE indexrelid = 'k_idx_b'::regclass",
            "the columns that pg_depend recorded for the index"),
        ("CREATE TYPE k_mood AS ENUM ('low', 'mid', 'top')",
            "UPDATE pg_enum SET enumsortorder = 9 WHERE enumtypid = 'k_mood'::regtype AND enumlabel = 'mid'", "labels of even OIDs in the order of their OIDs"),
        ("CREATE TABLE k_file_a AS SELECT 1 AS a; CREATE TABLE k_file_b AS SELECT 2 AS a",
            "UPDATE pg_class SET relfilenode = CASE relname WHEN 'k_file_a' THEN 'k_file_b'::regclass::oid ELSE 'k_file_a'::regclass::oid END WHERE relname IN ('k_file_a', 'k_file_b')",
            "its own file"),
        .. DerivedInjuries.All,
    ];

    /// <summary>What the catalogs say from 18 on only.</summary>
    private static readonly (string Make, string Injure, string Told)[] Later =
    [
        ("CREATE TABLE l_null (a int NOT NULL)", "UPDATE pg_attribute SET attnotnull = false WHERE attrelid = 'l_null'::regclass AND attname = 'a'",
            "attnotnull where pg_constraint has a NOT NULL"),
        ("CREATE TABLE l_virtual AS SELECT n AS a, n AS b FROM generate_series(1, 100) n; ANALYZE l_virtual",
            "UPDATE pg_attribute SET attgenerated = 'v' WHERE attrelid = 'l_virtual'::regclass AND attname = 'b'", "no statistics and no index for a column that is never stored"),
        ("CREATE TABLE l_period (a int4range, b daterange, PRIMARY KEY (a, b WITHOUT OVERLAPS))",
            "UPDATE pg_constraint SET conperiod = false WHERE conrelid = 'l_period'::regclass AND contype = 'p'", "conperiod where the index excludes overlaps"),
    ];

    private static (string Make, string Injure, string Told)[] Of(int major) => major < 18 ? Injuries : [.. Injuries, .. Later];

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Each_is_told_by_its_rule(int major)
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(major, Stop);
        await database.Execute(Sound + string.Join("; ", Of(major).Select(injury => injury.Make)), Stop);
        var before = await Findings(terminal, database);
        Assert.Equal([], before);
        await database.Execute("SET allow_system_table_mods = on; " + string.Join("; ", Of(major).Select(injury => injury.Injure)), Stop);

        var told = await Findings(terminal, database);

        Assert.Equal([], Of(major).Select(injury => injury.Told).Where(words => !told.Exists(evidence => evidence.Contains(words, StringComparison.Ordinal))));
        Assert.DoesNotContain(told, evidence => evidence.Contains("c_sound", StringComparison.Ordinal));
    }

    /// <summary>A foreign key that names another column than it was made for accuses sound rows; indexes of exchanged files are the last that know whose rows they are.</summary>
    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task While_the_catalogs_mislead_no_row_is_touched_and_no_index_rebuilt(int major)
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE TABLE w_up (a int PRIMARY KEY, b int UNIQUE); INSERT INTO w_up SELECT n, CASE WHEN n < 2998 THEN n ELSE n + 9000 END FROM generate_series(1, 3000) n;
            CREATE TABLE w_ref (a int PRIMARY KEY REFERENCES w_up); INSERT INTO w_ref SELECT a FROM w_up;
            CREATE TABLE w_one AS SELECT n AS a FROM generate_series(1, 500) n; CREATE TABLE w_two AS SELECT n + 90000 AS a FROM generate_series(1, 500) n;
            CREATE INDEX w_one_a ON w_one (a); ALTER TABLE w_two ADD PRIMARY KEY (a); ANALYZE;
            """, Stop);
        await database.Execute("""
            SET allow_system_table_mods = on; UPDATE pg_constraint SET confkey = '{2}' WHERE conrelid = 'w_ref'::regclass AND contype = 'f';
            UPDATE pg_class SET relfilenode = CASE relname WHEN 'w_one' THEN 'w_two'::regclass::oid ELSE 'w_one'::regclass::oid END WHERE relname IN ('w_one', 'w_two');
            """, Stop);
        const string Files = "SELECT string_agg(relfilenode::text, ' ' ORDER BY relname) FROM pg_class WHERE relname IN ('w_one_a', 'w_two_pkey')";
        var before = await database.Scalar<string>(Files, Stop);

        var healed = await terminal.On(database, "heal", "--yes", "--allow", "reversible", "--depth", "deep", "-t", "w_*", "--format", "json");

        Assert.Equal(ExitCodes.Damage, healed.Code);
        var cases = healed.Json.GetProperty("cases").EnumerateArray().ToList();
        Assert.DoesNotContain(cases, one => one.GetProperty("outcome").GetString() == "healed");
        Assert.Contains(cases, one => one.GetProperty("fault").GetString() == "row-orphaned" && one.GetProperty("reason").GetString()!.Contains("contradict each other", StringComparison.Ordinal));
        Assert.Contains(cases, one => one.GetProperty("fault").GetString() == "index-corrupt" && one.GetProperty("reason").GetString()!.Contains("contradict each other", StringComparison.Ordinal));
        Assert.Equal(before, await database.Scalar<string>(Files, Stop));
        Assert.Equal(3000L, await database.Scalar<long>("SELECT count(*) FROM w_ref", Stop));
    }

    private static async Task<List<string>> Findings(Terminal terminal, TestDatabase database)
    {
        var said = await terminal.On(database, "check", "--only", "catalog", "--format", "json");
        Assert.True(said.Code is ExitCodes.Sound or ExitCodes.Damage, said.All);
        return [.. said.Json.GetProperty("findings").EnumerateArray().Select(finding => finding.GetProperty("evidence").GetString()!)];
    }
}
