namespace Kintsugi.Postgres.Tests.Checks.Crossing;

/// <summary>Tables that have lived: everything that makes a row, an entry or a page look unusual and is right all the same.</summary>
internal static class Lives
{
    /// <summary>Keys of every order that is known and of some that are not, with nulls, and values that compare otherwise than their bytes.</summary>
    private const string Keys = """
        CREATE TABLE keys (id bigint PRIMARY KEY, a int, gone text, b text COLLATE "C", c text, d numeric, e uuid, f timestamptz, g float8, h bool, n name,
            i smallint, j bytea, k int[], m money, o oid, p date, q "char", r real, s varchar(40) COLLATE "POSIX");
        INSERT INTO keys SELECT x, CASE WHEN x % 7 > 0 THEN x % 100 - 50 END, 'gone ' || x, CASE WHEN x % 5 > 0 THEN 'b' || (x * 7919 % 1000) END,
            'c' || x % 300, CASE x % 9 WHEN 0 THEN 'NaN' WHEN 1 THEN 0 WHEN 2 THEN -x * 10000.5 WHEN 3 THEN x::numeric / 7 WHEN 4 THEN x * 1e30 ELSE x - 1000 END,
            md5(x::text)::uuid, now() - x * interval '1 hour', CASE x % 6 WHEN 0 THEN 'NaN' WHEN 1 THEN '-0' WHEN 2 THEN 0 WHEN 3 THEN '-Infinity' ELSE (x - 999.5)::float8 END,
            x % 3 = 0, 'name_' || x % 50, (x % 400 - 200), decode(md5((x % 99)::text), 'hex'), ARRAY[x % 10, x % 3], (x - 50)::text::money, (x::bigint * 1000003)::oid,
            date '2020-01-01' + (x % 900 - 450)::int, chr(65 + (x % 50)::int)::"char", x / 3.0 - 300, repeat(chr(97 + (x % 26)::int), (x % 20)::int)
            FROM pg_catalog.generate_series(1, 3000) x;
        CREATE INDEX keys_a ON keys (a); CREATE INDEX keys_b ON keys (b); CREATE INDEX keys_c ON keys (c); CREATE INDEX keys_d ON keys (d);
        CREATE INDEX keys_e ON keys (e); CREATE INDEX keys_f ON keys (f DESC); CREATE INDEX keys_g ON keys (g); CREATE INDEX keys_h ON keys (h);
        CREATE INDEX keys_n ON keys (n); CREATE INDEX keys_i ON keys (i); CREATE INDEX keys_j ON keys (j); CREATE INDEX keys_k ON keys (k);
        CREATE INDEX keys_m ON keys (m); CREATE INDEX keys_o ON keys (o); CREATE INDEX keys_p ON keys (p); CREATE INDEX keys_q ON keys (q);
        CREATE INDEX keys_r ON keys (r NULLS FIRST); CREATE INDEX keys_s ON keys (s text_pattern_ops);
        CREATE INDEX keys_ab ON keys (a DESC NULLS FIRST, b) INCLUDE (c, d); CREATE UNIQUE INDEX keys_id ON keys (id) INCLUDE (k);
        CREATE INDEX keys_part ON keys (a) WHERE h; CREATE INDEX keys_expr ON keys (pg_catalog.upper(b), a);
        ALTER TABLE keys DROP COLUMN gone;
        ALTER TABLE keys ADD COLUMN later int DEFAULT 42, ADD COLUMN note text DEFAULT 'since then', ADD COLUMN empty int;
        CREATE INDEX keys_later ON keys (later, note); CREATE INDEX keys_empty ON keys (empty);
        INSERT INTO keys (id, later, note) SELECT x, x, NULL FROM pg_catalog.generate_series(4001, 4400) x;
        """;

    /// <summary>Update chains, locks, subtransactions, entries that nobody has cleaned up.</summary>
    private const string Chains = """
        CREATE TABLE chains (id int PRIMARY KEY, v int, w text) WITH (fillfactor = 60, autovacuum_enabled = off);
        INSERT INTO chains SELECT x, x % 10, 'w' || x FROM pg_catalog.generate_series(1, 4000) x;
        CREATE INDEX chains_v ON chains (v);

        UPDATE chains SET w = w || '!' WHERE id % 2 = 0;

        UPDATE chains SET w = w || '?' WHERE id % 4 = 0;

        UPDATE chains SET v = v + 1 WHERE id % 5 = 0;

        DELETE FROM chains WHERE id BETWEEN 100 AND 199;

        BEGIN; UPDATE chains SET w = 'lost' WHERE id % 3 = 0; INSERT INTO chains SELECT x, 1, 'lost' FROM pg_catalog.generate_series(5001, 5300) x; ROLLBACK;

        BEGIN; SAVEPOINT one; UPDATE chains SET v = -1 WHERE id BETWEEN 300 AND 320; ROLLBACK TO one; SAVEPOINT two;
            UPDATE chains SET v = -2 WHERE id BETWEEN 310 AND 330; RELEASE two; COMMIT;

        BEGIN; SELECT count(*) FROM (SELECT 1 FROM chains WHERE id BETWEEN 400 AND 420 FOR KEY SHARE) l; SAVEPOINT s; UPDATE chains SET w = 'm' WHERE id BETWEEN 400 AND 410;
            UPDATE chains SET v = -3 WHERE id BETWEEN 411 AND 414; DELETE FROM chains WHERE id BETWEEN 415 AND 420; COMMIT;

        BEGIN; SELECT count(*) FROM (SELECT 1 FROM chains WHERE id BETWEEN 430 AND 450 FOR KEY SHARE) l; SAVEPOINT s; UPDATE chains SET w = 'x' WHERE id BETWEEN 430 AND 440;
            DELETE FROM chains WHERE id BETWEEN 441 AND 450; ROLLBACK TO s; COMMIT;

        INSERT INTO chains VALUES (1, 1, 'again') ON CONFLICT (id) DO UPDATE SET w = 'again';
        CREATE INDEX chains_w ON chains (w);

        SET enable_seqscan = off; SET enable_bitmapscan = off; SELECT count(*) FROM chains WHERE id BETWEEN 90 AND 210; RESET ALL;

        CREATE TABLE emptied (id int PRIMARY KEY, t text) WITH (autovacuum_enabled = off);
        INSERT INTO emptied SELECT x, pg_catalog.repeat(pg_catalog.md5(x::text), 3) FROM pg_catalog.generate_series(1, 9000) x;

        CREATE INDEX emptied_t ON emptied (t); DELETE FROM emptied WHERE id BETWEEN 1000 AND 8000;
        """;

    /// <summary>Keys that are compressed in one place and not in the other, and keys that lie out of line.</summary>
    private const string Large = """
        CREATE TABLE large (id int PRIMARY KEY, t text, u text);
        INSERT INTO large SELECT x, pg_catalog.repeat('pressed ' || x || ' ', 60 + x % 300), pg_catalog.repeat('u' || x, 500) FROM pg_catalog.generate_series(1, 300) x;
        CREATE INDEX large_t ON large (t);
        CREATE TABLE outside (id int PRIMARY KEY, t text COLLATE "C", small int);
        ALTER TABLE outside ALTER COLUMN t SET STORAGE EXTERNAL;
        INSERT INTO outside SELECT x, CASE WHEN x % 3 = 0 THEN (SELECT pg_catalog.string_agg(pg_catalog.md5((x * y)::text), '') FROM pg_catalog.generate_series(1, 70) y) ELSE 't' || x END, x % 5
            FROM pg_catalog.generate_series(1, 200) x;
        CREATE INDEX outside_t ON outside (t); CREATE INDEX outside_small ON outside (small);
        CREATE UNLOGGED TABLE unlogged AS SELECT x FROM pg_catalog.generate_series(1, 2000) x; CREATE INDEX unlogged_x ON unlogged (x);
        CREATE TABLE nothing (id int PRIMARY KEY);
        """;

    /// <summary>A paragraph is one transaction, or says itself where it begins and ends.</summary>
    public static IReadOnlyList<string> Statements { get; } = [Keys, .. Chains.Split("\n\n"), Large];

    /// <summary>Statements that must run alone: VACUUM, and builds beside chains that an update broke.</summary>
    public static IReadOnlyList<string> Alone { get; } =
    [
        "VACUUM emptied", "VACUUM emptied", "CREATE INDEX CONCURRENTLY chains_late ON chains (w, v)",
        "INSERT INTO emptied SELECT x, 'new ' || x FROM pg_catalog.generate_series(2000, 2600) x", "UPDATE keys SET i = i WHERE id % 11 = 0",
        "UPDATE outside SET small = small + 1 WHERE id % 4 = 0",
    ];

    public static IReadOnlyList<string> Prepared { get; } =
    [
        "BEGIN; INSERT INTO chains SELECT x, 7, 'prepared' FROM pg_catalog.generate_series(6001, 6050) x; UPDATE chains SET w = 'p' WHERE id BETWEEN 600 AND 620; "
            + "SAVEPOINT a; UPDATE chains SET v = 99 WHERE id BETWEEN 630 AND 640; RELEASE a; DELETE FROM chains WHERE id BETWEEN 650 AND 660; PREPARE TRANSACTION 'open'",
    ];
}
