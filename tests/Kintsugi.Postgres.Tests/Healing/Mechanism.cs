using Kintsugi.Postgres.Operating;

namespace Kintsugi.Postgres.Tests.Healing;

/// <summary>
/// A way of repairing, with an injury that calls for it: what the tests of kills run through. Every step runner of the product belongs to one.
/// </summary>
/// <param name="Name">In test names.</param>
/// <param name="Kinds">The kinds of steps whose interruption it covers.</param>
/// <param name="Checks">The checks that find the injury, and prove its end.</param>
/// <param name="Prepare">Makes the table <c>ward</c>.</param>
/// <param name="Injure">Run once for every kill; it must do harm again each time.</param>
/// <param name="Took">True when the harm is there.</param>
internal sealed record Mechanism(
    string Name, IReadOnlyList<string> Kinds, IReadOnlyList<string> Checks, string Prepare, string Injure, string Took)
{
    /// <summary>Held in an open transaction it stops the step in its middle; null where the step has no middle.</summary>
    public string? Stall { get; init; }

    /// <summary>Its steps are one transaction, so that the newest major alone tells in the default run, and a killed healer all there is to tell.</summary>
    public bool OneTransaction { get; init; }

    /// <summary>Its kinds of steps are killed elsewhere too, so that the default run leaves it out.</summary>
    public bool OnlyAll { get; init; }

    /// <summary>The server has to forget the pages that it holds in memory, so that the harm to its files is seen.</summary>
    public bool Restarts { get; init; }

    /// <summary>The checks look at more than the table <c>ward</c>.</summary>
    public bool Everywhere { get; init; }

    /// <summary>The repair that a person named, for one that waits for it.</summary>
    public string? Repair { get; init; }

    /// <summary>The table has another file afterwards, as it should.</summary>
    public bool Rewrites { get; init; }

    public Depth Depth { get; init; } = Depth.Standard;

    public Policy Policy { get; init; } = new() { Consent = true };

    private static Policy RowsMayChange { get; } = new() { Consent = true, Allow = Grade.Reversible };

    private const string Ward = """
        CREATE TABLE ward (id integer PRIMARY KEY, mark integer NOT NULL, body text) WITH (autovacuum_enabled = off);
        INSERT INTO ward SELECT g, g * 7919 % 10007, repeat(md5(g::text), 3) FROM generate_series(1, 3000) g;
        CREATE INDEX ward_body ON ward (body);
        CREATE FUNCTION ward_compare(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT
          AS 'SELECT CASE WHEN $1 < $2 THEN -1 WHEN $1 > $2 THEN 1 ELSE 0 END';
        CREATE OPERATOR CLASS ward_ops FOR TYPE integer USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=,
          OPERATOR 5 >, FUNCTION 1 ward_compare(integer, integer);
        CREATE INDEX ward_mark ON ward (mark ward_ops)
        """;

    private const string Writers = "LOCK TABLE ward IN ROW EXCLUSIVE MODE";

    /// <summary>The map of before a row was replaced is put back, as a lost write would leave it.</summary>
    public static Mechanism OfLyingMap { get; } = new("visibility-map", [RebuildVisibilityMapStep.Name, UnboundedSqlStep.Name], ["visibility-map"], Ward, """
        VACUUM ward;;CHECKPOINT;;
        DO $$ BEGIN EXECUTE format('COPY (SELECT) TO PROGRAM %L', format('cat >/dev/null; cp %1$s_vm %1$s_vm.kept', pg_relation_filepath('ward'))); END $$;;
        UPDATE ward SET body = body WHERE id % 50 = 0;;
        SELECT pg_truncate_visibility_map('ward');;CHECKPOINT;;
        DO $$ BEGIN EXECUTE format('COPY (SELECT) TO PROGRAM %L', format('cat >/dev/null; mv %1$s_vm.kept %1$s_vm', pg_relation_filepath('ward'))); END $$
        """, "SELECT count(*) > 0 FROM pg_check_visible('ward')");

    public static IReadOnlyList<Mechanism> All => [.. Usual, .. PageMechanisms.All, .. FurtherMechanisms.All];

    private static IReadOnlyList<Mechanism> Usual { get; } =
    [
        // The order that the index was built with is turned round, as a new version of a library does.
        new("rebuild-index", [RebuildIndexStep.Name], ["heap", "btree", "index-state"], Ward, """
            DO $$
            BEGIN
              IF ward_compare(1, 2) < 0 THEN
                CREATE OR REPLACE FUNCTION ward_compare(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT
                  AS 'SELECT CASE WHEN $1 < $2 THEN 1 WHEN $1 > $2 THEN -1 ELSE 0 END';
              ELSE
                CREATE OR REPLACE FUNCTION ward_compare(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT
                  AS 'SELECT CASE WHEN $1 < $2 THEN -1 WHEN $1 > $2 THEN 1 ELSE 0 END';
              END IF;
            END $$
            """, "SELECT true") { Stall = Writers },
        new("drop-index", [DropIndexStep.Name], ["index-state"], Ward, """
            CREATE INDEX ward_body_ccnew ON ward (body);
            UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ward_body_ccnew'::regclass
            """, "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = 'ward_body_ccnew'::regclass") { Stall = Writers },

        OfLyingMap,
        // One byte of a row's header rots on the disk: the checksum that is stored there tells what it was.
        new("write-pages", [WritePagesStep.Name], ["pages"], Ward, """
            CHECKPOINT;;
            DO $$ BEGIN EXECUTE format('COPY (SELECT) TO PROGRAM %L', format('cat >/dev/null; printf "\143" | dd of=%s bs=1 seek=8078 conv=notrunc status=none',
              pg_relation_filepath('ward'))); END $$
            """, "SELECT get_byte(pg_read_binary_file(pg_relation_filepath('ward'), 8078, 1), 0) = 99") { Stall = Writers },
        new("catalog-edit", [CatalogEditStep.Name], ["catalog"], Ward,
            "UPDATE pg_class SET relhasindex = false WHERE oid = 'ward'::regclass",
            "SELECT NOT relhasindex FROM pg_class WHERE oid = 'ward'::regclass")
        {
            // The copy of the cluster has its own tests.
            Policy = new Policy { Consent = true, SnapshotBeforeRepair = false },
            OneTransaction = true,
        },
        new("refresh-version", [SqlStep.Name], ["collation"], """
            CREATE COLLATION ward_order (provider = icu, locale = 'de');
            CREATE TABLE ward (id integer PRIMARY KEY, body text COLLATE ward_order);
            INSERT INTO ward SELECT g, md5(g::text) FROM generate_series(1, 1000) g;
            CREATE INDEX ward_body ON ward (body)
            """, "UPDATE pg_collation SET collversion = '1.1' WHERE collname = 'ward_order'",
            "SELECT collversion = '1.1' FROM pg_collation WHERE collname = 'ward_order'"),

        // As after a restore that wrote the keys and forgot the sequence. Whoever takes a value holds the sequence until his transaction ends.
        new("set-sequence", [SetSequenceStep.Name], ["sequence"], """
            CREATE TABLE ward (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, body text);
            INSERT INTO ward (body) SELECT md5(g::text) FROM generate_series(1, 500) g
            """, "ALTER SEQUENCE ward_id_seq RESTART WITH 7", "SELECT last_value = 7 AND NOT is_called FROM ward_id_seq")
        {
            Stall = "SELECT nextval('ward_id_seq')",
            OneTransaction = true,
        },

        // Deleted past the constraint, and not yet vacuumed.
        new("recreate-rows", [RecreateRowsStep.Name], ["foreign-key"], """
            CREATE TABLE ward (id integer PRIMARY KEY, body text) WITH (autovacuum_enabled = off);
            INSERT INTO ward SELECT g, 'row ' || g FROM generate_series(1, 9) g;
            CREATE TABLE patient_of (id integer PRIMARY KEY, ward integer REFERENCES ward ON DELETE CASCADE);
            INSERT INTO patient_of SELECT g, g FROM generate_series(1, 9) g
            """, "SET session_replication_role = replica; DELETE FROM ward WHERE id IN (3, 7); RESET session_replication_role",
            "SELECT count(*) = 7 FROM ward") { OneTransaction = true },

        // Loaded past the constraint; their parents were nowhere.
        new("quarantine-orphans", [RowBatchStep.Name], ["foreign-key"], """
            CREATE TABLE bed (id integer PRIMARY KEY);
            INSERT INTO bed SELECT generate_series(1, 9);
            CREATE TABLE ward (id integer PRIMARY KEY, bed integer CONSTRAINT ward_bed REFERENCES bed, body text) WITH (autovacuum_enabled = off);
            INSERT INTO ward SELECT g, g, 'row ' || g FROM generate_series(1, 9) g
            """, "SET session_replication_role = replica; INSERT INTO ward SELECT g, g, 'stray ' || g FROM generate_series(5001, 5003) g; "
                + "RESET session_replication_role",
            "SELECT count(*) = 3 FROM ward WHERE id > 5000") { OneTransaction = true, OnlyAll = true, Policy = RowsMayChange },

        // The index of the constraint missed a row for a while, and one that overlaps was let in.
        new("resolve-conflicts", [RowBatchStep.Name, UnboundedSqlStep.Name], ["uniqueness"], """
            CREATE TABLE ward (id integer PRIMARY KEY, during int4range, CONSTRAINT ward_during EXCLUDE USING gist (during WITH &&));
            INSERT INTO ward SELECT g, int4range(g * 10, g * 10 + 5) FROM generate_series(1, 300) g
            """, """
            UPDATE pg_index SET indisready = false WHERE indexrelid = 'ward_during'::regclass;;
            INSERT INTO ward VALUES (999, int4range(21, 24));;
            UPDATE pg_index SET indisready = true WHERE indexrelid = 'ward_during'::regclass
            """, "SELECT count(*) = 1 FROM ward WHERE id = 999") { OneTransaction = true, OnlyAll = true, Policy = RowsMayChange },

        // Hint bits were set wrongly: a parent that lives counts as deleted by the transaction that inserted it.
        new("unhide-parent", [WritePagesStep.Name], ["foreign-key"], """
            CREATE TABLE ward (id integer PRIMARY KEY, body text) WITH (autovacuum_enabled = off);
            INSERT INTO ward SELECT g, 'row ' || g FROM generate_series(1, 9) g;
            CREATE TABLE patient_of (id integer PRIMARY KEY, ward integer REFERENCES ward);
            INSERT INTO patient_of SELECT g, g FROM generate_series(1, 9) g
            """, """
            CHECKPOINT;;
            DO $$
            DECLARE page bytea := get_raw_page('ward', 0); at integer; mask integer;
            BEGIN
              SELECT lp_off INTO at FROM heap_page_items(page) WHERE lp = 3;
              FOR i IN 0..3 LOOP page := set_byte(page, at + 4 + i, get_byte(page, at + i)); END LOOP;
              mask := ((get_byte(page, at + 20) + 256 * get_byte(page, at + 21)) & ~6352) | 1024;
              page := set_byte(set_byte(page, at + 20, mask & 255), at + 21, mask >> 8);
              mask := page_checksum(page, 0) & 65535;
              page := set_byte(set_byte(page, 8, mask & 255), 9, mask >> 8);
              EXECUTE format('COPY (SELECT %L) TO PROGRAM %L', replace(encode(page, 'base64'), E'\n', ''),
                format('base64 -d | dd of=%s bs=8192 conv=notrunc iflag=fullblock status=none', pg_relation_filepath('ward')));
            END $$
            """, "SELECT count(*) = 8 FROM ward") { OneTransaction = true, OnlyAll = true, Restarts = true, Policy = RowsMayChange },
    ];

    public static Mechanism Named(string name) => All.Single(mechanism => mechanism.Name == name);
}
