namespace Kintsugi.Cli.Tests.Detection;

/// <summary>A state that looks wrong and is right: no tool may accuse it. Statements run one by one; the schema carries the name.</summary>
/// <param name="Name">Of the schema that holds it.</param>
/// <param name="What">For people.</param>
/// <param name="Statements">In order, each on its own.</param>
internal sealed record OddDatabase(string Name, string What, params string[] Statements)
{
    public int Since { get; init; } = 13;
}

/// <summary>Sound but odd, each in a schema of its own.</summary>
internal static class OddDatabases
{
    public static IReadOnlyList<OddDatabase> All { get; } =
    [
        new("bloat", "nine of ten rows deleted, pages never cleaned, then new rows in some of the gaps",
            "CREATE TABLE bloat.t (id int PRIMARY KEY, v text)", "CREATE INDEX ON bloat.t (v)",
            "INSERT INTO bloat.t SELECT n, repeat('x', n % 90) FROM generate_series(1, 20000) n", "DELETE FROM bloat.t WHERE id % 10 <> 0",
            "VACUUM bloat.t", "DELETE FROM bloat.t WHERE id % 20 = 0", "INSERT INTO bloat.t SELECT n, 'new' FROM generate_series(20001, 20500) n"),
        new("prepared", "a prepared transaction that inserted, changed, deleted and locked rows, and goes on holding them",
            "CREATE TABLE prepared.t (id int PRIMARY KEY, v int UNIQUE)", "INSERT INTO prepared.t SELECT n, n FROM generate_series(1, 1000) n",
            "BEGIN; INSERT INTO prepared.t VALUES (2000, 2000); UPDATE prepared.t SET v = -v WHERE id < 50; DELETE FROM prepared.t WHERE id = 100; "
            + "SELECT FROM prepared.t WHERE id = 101 FOR UPDATE; PREPARE TRANSACTION 'odd'"),
        new("unlogged", "unlogged tables, emptied by a crash",
            "CREATE UNLOGGED TABLE unlogged.t (id int PRIMARY KEY, v text)", "CREATE INDEX ON unlogged.t USING hash (v)",
            "INSERT INTO unlogged.t SELECT n, n::text FROM generate_series(1, 3000) n"),
        new("nulls", "composite keys full of NULLs, unique and foreign",
            "CREATE TABLE nulls.p (a int, b int, c text, UNIQUE (a, b), EXCLUDE USING btree (c WITH =))",
            "CREATE TABLE nulls.c (a int, b int, FOREIGN KEY (a, b) REFERENCES nulls.p (a, b))",
            "INSERT INTO nulls.p SELECT CASE WHEN n % 2 = 0 THEN n END, NULL, NULL FROM generate_series(1, 500) n",
            "INSERT INTO nulls.c SELECT n, NULL FROM generate_series(1, 500) n", "INSERT INTO nulls.c SELECT NULL, NULL FROM generate_series(1, 50)"),
        new("justbuilt", "indexes that were just built and rebuilt concurrently",
            "CREATE TABLE justbuilt.t AS SELECT n, n % 7 AS m, md5(n::text) AS h FROM generate_series(1, 8000) n",
            "CREATE UNIQUE INDEX CONCURRENTLY t_n ON justbuilt.t (n)", "CREATE INDEX CONCURRENTLY t_h ON justbuilt.t USING hash (h)",
            "CREATE INDEX CONCURRENTLY t_m ON justbuilt.t USING gin (public.array_agg_of(m, n))", "REINDEX INDEX CONCURRENTLY justbuilt.t_n"),
        new("wide", "1,600 columns, most of them dropped, and columns that were added with a default and never written",
            "DO $$ BEGIN EXECUTE 'CREATE TABLE wide.t (' || (SELECT string_agg('c' || n || ' bool', ', ') FROM generate_series(1, 1600) n) || ')'; END $$",
            "INSERT INTO wide.t (c1, c1600) SELECT true, false FROM generate_series(1, 50)",
            "CREATE TABLE wide.added (id int PRIMARY KEY)", "INSERT INTO wide.added SELECT generate_series(1, 2000)",
            "ALTER TABLE wide.added ADD a text DEFAULT 'late', ADD b int NOT NULL DEFAULT 5", "ALTER TABLE wide.added DROP COLUMN a",
            "CREATE INDEX ON wide.added (b, id)"),
        new("empty", "tables and indexes of no pages, a partitioned table of no partitions, a materialized view never filled",
            "CREATE TABLE empty.t (id int PRIMARY KEY, v text[], p point)", "CREATE INDEX ON empty.t USING gin (v)", "CREATE INDEX ON empty.t USING gist (p)",
            "CREATE TABLE empty.parts (id int) PARTITION BY RANGE (id)", "CREATE INDEX ON empty.parts (id)",
            "CREATE MATERIALIZED VIEW empty.m AS SELECT 1 AS one, 'x'::text AS t, ARRAY['x'] AS a WITH NO DATA",
            "CREATE UNIQUE INDEX ON empty.m (one)", "CREATE INDEX ON empty.m USING gin (a)", "CREATE INDEX ON empty.m USING hash (t)",
            "CREATE TABLE empty.nothing ()", "INSERT INTO empty.nothing DEFAULT VALUES"),
        new("locks", "rows locked by many at once, savepoints rolled back, updates of locked rows (multixacts)",
            "CREATE TABLE locks.p (id int PRIMARY KEY, v int)", "CREATE TABLE locks.c (id int REFERENCES locks.p)",
            "INSERT INTO locks.p SELECT n, 0 FROM generate_series(1, 300) n",
            "DO $$ BEGIN FOR i IN 1..100 LOOP PERFORM FROM locks.p WHERE id = i FOR KEY SHARE; "
            + "BEGIN UPDATE locks.p SET v = v + 1 WHERE id = i; IF i % 3 = 0 THEN RAISE EXCEPTION 'back'; END IF; EXCEPTION WHEN OTHERS THEN NULL; END; "
            + "PERFORM FROM locks.p WHERE id = i FOR SHARE; END LOOP; END $$", "INSERT INTO locks.c SELECT id FROM locks.p"),
        new("chains", "HOT chains of every length, aborted ends, pruned and redirected",
            "CREATE TABLE chains.t (id int PRIMARY KEY, v int, w text) WITH (fillfactor = 50)", "CREATE INDEX ON chains.t (w)",
            "INSERT INTO chains.t SELECT n, 0, n::text FROM generate_series(1, 2000) n",
            "DO $$ BEGIN FOR i IN 1..6 LOOP UPDATE chains.t SET v = v + 1 WHERE id % (i + 1) = 0; BEGIN UPDATE chains.t SET v = -1 WHERE id % 5 = 0; "
            + "RAISE EXCEPTION 'back'; EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $$", "UPDATE chains.t SET v = 9 WHERE id < 500",
            "UPDATE chains.t SET w = w || '!' WHERE id % 11 = 0", "VACUUM chains.t", "UPDATE chains.t SET v = 10 WHERE id % 2 = 1"),
        new("methods", "a GIN pending list, BRIN ranges without a summary, hash buckets in the middle of growth, GiST and SP-GiST with NULLs",
            "CREATE TABLE methods.t (id int, a int[], p point, r int4range, k text)",
            "CREATE INDEX ON methods.t USING gin (a) WITH (fastupdate = on)", "CREATE INDEX ON methods.t USING brin (id) WITH (pages_per_range = 4)",
            "CREATE INDEX ON methods.t USING hash (k)", "CREATE INDEX ON methods.t USING gist (p)", "CREATE INDEX ON methods.t USING spgist (k)",
            "CREATE INDEX ON methods.t USING gist (r)",
            "INSERT INTO methods.t SELECT n, CASE WHEN n % 5 > 0 THEN ARRAY[n, n % 10] END, CASE WHEN n % 3 > 0 THEN point(n % 100, n) END, "
            + "CASE WHEN n % 4 > 0 THEN int4range(n, n + n % 5) END, CASE WHEN n % 6 > 0 THEN md5((n % 3000)::text) END FROM generate_series(1, 6000) n",
            "DELETE FROM methods.t WHERE id % 3 = 0", "VACUUM methods.t", "INSERT INTO methods.t SELECT n, ARRAY[n], NULL, 'empty', NULL FROM generate_series(1, 700) n"),
        new("large", "values of every size and storage, around each threshold",
            "CREATE TABLE large.t (id int PRIMARY KEY, e text, x text, m text, j jsonb)",
            "ALTER TABLE large.t ALTER e SET STORAGE EXTERNAL, ALTER m SET STORAGE MAIN",
            "INSERT INTO large.t SELECT n, repeat(chr(65 + n % 26), 1900 + n), (SELECT string_agg(md5((n * i)::text), '') FROM generate_series(1, n) i), "
            + "repeat('m', n * 20), jsonb_build_object('n', n, 'l', (SELECT jsonb_agg(i) FROM generate_series(1, n * 3) i)) FROM generate_series(1, 250) n",
            "UPDATE large.t SET e = e || 'y' WHERE id % 3 = 0", "DELETE FROM large.t WHERE id % 7 = 0", "ALTER TABLE large.t DROP COLUMN m"),
        new("deferred", "deferrable keys, rows that refer to each other and to themselves, inherited tables with the same keys",
            "CREATE TABLE deferred.t (id int PRIMARY KEY, place int UNIQUE DEFERRABLE INITIALLY DEFERRED, boss int REFERENCES deferred.t DEFERRABLE INITIALLY DEFERRED)",
            "INSERT INTO deferred.t SELECT n, n, 1001 - n FROM generate_series(1, 1000) n", "UPDATE deferred.t SET place = 1001 - place",
            "CREATE TABLE deferred.heir (more int, PRIMARY KEY (id)) INHERITS (deferred.t)", "INSERT INTO deferred.heir SELECT n, NULL, NULL, 0 FROM generate_series(1, 100) n"),
        new("figures", "what looks like no value: NaN, infinity, dates before Christ, empty and odd strings, arrays from -3 on",
            "CREATE TABLE figures.t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, f float8, n numeric, d timestamptz, s text, a int[], twice int GENERATED ALWAYS AS (c * 2) STORED, c int)",
            "CREATE INDEX ON figures.t (f)", "CREATE INDEX ON figures.t (n)", "CREATE INDEX ON figures.t (d DESC NULLS FIRST)", "CREATE INDEX ON figures.t (s text_pattern_ops)",
            "INSERT INTO figures.t (f, n, d, s, a, c) SELECT f, n, d, s, '[-3:-1]={1,2,3}', i::int FROM unnest(ARRAY['NaN', 'Infinity', '-0', '0', '1e-300']::float8[], "
            + "ARRAY['NaN', '0', '0.00', '1e100', '-1']::numeric[], ARRAY['infinity', '-infinity', '4713-01-01 BC', '0044-03-15 BC', '294276-12-31']::timestamptz[], "
            + "ARRAY['', ' ', E'\\x01\\x7f', 'ß', '🍿']::text[]) WITH ORDINALITY x(f, n, d, s, i)"),
        new("Odd \"names\"; --", "names that must be quoted everywhere",
            "CREATE TABLE \"Odd \"\"names\"\"; --\".\"t'a.b\" (\"id\"\" \" int PRIMARY KEY, \"SELECT\" text UNIQUE)",
            "INSERT INTO \"Odd \"\"names\"\"; --\".\"t'a.b\" SELECT n, n::text FROM generate_series(1, 500) n"),
        new("partitions", "partitions of partitions, attached with other column orders, a default one, one just detached",
            "CREATE TABLE partitions.t (a int, b text, c date) PARTITION BY LIST (b)", "CREATE TABLE partitions.x PARTITION OF partitions.t FOR VALUES IN ('x', NULL) PARTITION BY HASH (a)",
            "CREATE TABLE partitions.x0 PARTITION OF partitions.x FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
            "CREATE TABLE partitions.x1 (c date, gone int, a int, b text)", "ALTER TABLE partitions.x1 DROP COLUMN gone",
            "ALTER TABLE partitions.x ATTACH PARTITION partitions.x1 FOR VALUES WITH (MODULUS 2, REMAINDER 1)", "CREATE TABLE partitions.rest PARTITION OF partitions.t DEFAULT",
            "CREATE INDEX ON partitions.t (a, c)", "INSERT INTO partitions.t SELECT n, CASE n % 3 WHEN 0 THEN 'x' WHEN 1 THEN 'y' END, '2020-01-01' FROM generate_series(1, 1500) n",
            "CREATE TABLE partitions.old PARTITION OF partitions.t FOR VALUES IN ('old')", "ALTER TABLE partitions.t DETACH PARTITION partitions.old"),
        new("shrunk", "a table whose end VACUUM has cut off, and one frozen to the last row",
            "CREATE TABLE shrunk.t (id int PRIMARY KEY, v text)", "INSERT INTO shrunk.t SELECT n, repeat('x', 200) FROM generate_series(1, 9000) n",
            "DELETE FROM shrunk.t WHERE id > 2000", "VACUUM (FREEZE) shrunk.t", "CREATE TABLE shrunk.f AS SELECT n FROM generate_series(1, 2000) n", "VACUUM (FREEZE) shrunk.f"),
    ];

    /// <summary>What a schema needs before its own statements.</summary>
    public const string Before = """
        CREATE OR REPLACE FUNCTION public.array_agg_of(int, int) RETURNS int[] LANGUAGE sql IMMUTABLE AS 'SELECT ARRAY[$1, $2]';
        """;
}
