using Kintsugi.Postgres.Operating;

namespace Kintsugi.Postgres.Tests.Healing;

/// <summary>
/// Repairs whose kinds of steps <see cref="Mechanism.All"/> kills already. How they find their rows, prove them and end their cases is their own, so that
/// ./test --all kills them as well.
/// </summary>
internal static class FurtherMechanisms
{
    public static IReadOnlyList<Mechanism> All { get; } =
    [
        // Written while the expression was another one: nearly all rows, or one that everything else speaks against.
        Rows("recompute-all", [RowBatchStep.Name], ["generated"], Doubling(9), Doubled("true"), "SELECT count(*) = 9 FROM ward WHERE twice <> 2 * n"),
        Rows("recompute-by-witnesses", [RowBatchStep.Name], ["generated"], Doubling(300), Doubled("id = 7"), "SELECT count(*) = 1 FROM ward WHERE twice <> 2 * n"),

        Rows("move-misrouted", [RowBatchStep.Name], ["partition-bound"], """
            CREATE TABLE ward (id integer, at integer, body text) PARTITION BY RANGE (at);
            CREATE TABLE ward_low PARTITION OF ward FOR VALUES FROM (0) TO (100);
            CREATE TABLE ward_high PARTITION OF ward FOR VALUES FROM (100) TO (200);
            INSERT INTO ward SELECT g, g, 'row ' || g FROM generate_series(0, 199) g
            """, """
            UPDATE pg_class SET relispartition = false WHERE oid = 'ward_low'::regclass;;
            WITH gone AS (DELETE FROM ward_high WHERE at = 150 RETURNING *) INSERT INTO ward_low SELECT * FROM gone;;
            UPDATE pg_class SET relispartition = true WHERE oid = 'ward_low'::regclass
            """, "SELECT count(*) = 1 FROM ward_low WHERE at = 150"),

        // The index of the constraint missed a row for a while.
        Rows("dedupe", [RowBatchStep.Name, RebuildIndexStep.Name], ["uniqueness"], """
            CREATE TABLE ward (id integer PRIMARY KEY, code integer CONSTRAINT ward_code UNIQUE, body text);
            INSERT INTO ward SELECT g, g, 'row ' || g FROM generate_series(1, 300) g
            """, """
            UPDATE pg_index SET indisready = false WHERE indexrelid = 'ward_code'::regclass;;
            INSERT INTO ward VALUES (999, 7, 'once more');;
            UPDATE pg_index SET indisready = true WHERE indexrelid = 'ward_code'::regclass
            """, "SELECT count(*) = 1 FROM ward WHERE id = 999"),

        Rows("mend-text", [RowBatchStep.Name], ["text-encoding"], """
            CREATE TABLE ward (id integer PRIMARY KEY, body text);
            INSERT INTO ward SELECT g, U&'Caf\FFFD ' || g FROM generate_series(1, 300) g
            """, """
            CREATE CAST (bytea AS text) WITHOUT FUNCTION;;
            UPDATE ward SET body = ('\x436166e92037'::bytea)::text WHERE id = 7;;
            DROP CAST (bytea AS text)
            """, "SELECT octet_length(body) = 6 FROM ward WHERE id = 7"),

        Rows("enforce-constraint", [SqlStep.Name], ["enforcement"], """
            CREATE TABLE bed (id integer PRIMARY KEY);
            INSERT INTO bed SELECT generate_series(1, 9);
            CREATE TABLE ward (id integer PRIMARY KEY, bed integer CONSTRAINT ward_bed REFERENCES bed);
            INSERT INTO ward SELECT g, g FROM generate_series(1, 9) g
            """, "ALTER TABLE ward DISABLE TRIGGER ALL", "SELECT count(*) > 0 FROM pg_trigger WHERE tgrelid = 'ward'::regclass AND tgenabled = 'D'") with
        {
            Policy = new Policy
            {
                Consent = true, Allow = Grade.Reversible, SnapshotBeforeRepair = false,
                ByFault = new Dictionary<string, PolicyChoice> { [Faults.ConstraintUnenforced.Id] = PolicyChoice.Auto },
            },
        },

        Rows("restore-label", [CatalogEditStep.Name], ["enum-value"], """
            CREATE TYPE ward_mood AS ENUM ('sick', 'better', 'well');
            CREATE TABLE ward (id integer PRIMARY KEY, mood ward_mood);
            INSERT INTO ward SELECT g, (enum_range(NULL::ward_mood))[1 + g % 3] FROM generate_series(1, 300) g
            """, "DELETE FROM pg_enum WHERE enumlabel = 'better' AND enumtypid = 'ward_mood'::regtype",
            "SELECT count(*) = 2 FROM pg_enum WHERE enumtypid = 'ward_mood'::regtype"),

        Rows("dangling-dependency", [CatalogEditStep.Name], ["catalog"], "CREATE TABLE ward (id integer PRIMARY KEY)",
            "INSERT INTO pg_depend VALUES ('pg_class'::regclass, 3999999999, 0, 'pg_class'::regclass, 'ward'::regclass, 0, 'n')",
            "SELECT count(*) = 1 FROM pg_depend WHERE objid = 3999999999"),

        Rows("free-space-map", [UnboundedSqlStep.Name], ["pages", "free-space-map"], """
            CREATE TABLE ward (id integer PRIMARY KEY, body text) WITH (autovacuum_enabled = off);
            INSERT INTO ward SELECT g, repeat(md5(g::text), 10) FROM generate_series(1, 3000) g
            """, """
            VACUUM ward;;CHECKPOINT;;
            DO $$ BEGIN EXECUTE format('COPY (SELECT) TO PROGRAM %L', format('cat >/dev/null; printf "\377\377\377\377" | dd of=%s_fsm bs=1 seek=4096 conv=notrunc status=none',
              pg_relation_filepath('ward'))); END $$
            """, "SELECT get_byte(pg_read_binary_file(pg_relation_filepath('ward') || '_fsm', 4096, 1), 0) = 255") with { Restarts = true },

        // One bit of a base column rots under a checksum that fits; its index and what was computed from it know better.
        Rows("restore-value", [WritePagesStep.Name], ["heap", "generated"], """
            CREATE TABLE ward (id integer PRIMARY KEY, title text NOT NULL, note text, title_key text GENERATED ALWAYS AS (lower(title)) STORED) WITH (autovacuum_enabled = off);
            INSERT INTO ward (id, title) SELECT g, 'The Movie No. ' || g || ' of ' || md5(g::text) FROM generate_series(1, 300) g;
            CREATE INDEX ward_lower ON ward (lower(title))
            """, """
            VACUUM (FREEZE) ward;;CHECKPOINT;;
            DO $$
            DECLARE page bytea := get_raw_page('ward', 0); at integer := position('The Movie No. 7 of'::bytea IN page) + 4; sum integer;
            BEGIN
              page := set_byte(page, at, get_byte(page, at) # 2);
              sum := page_checksum(page, 0) & 65535;
              page := set_byte(set_byte(page, 8, sum & 255), 9, sum >> 8);
              EXECUTE format('COPY (SELECT %L) TO PROGRAM %L', replace(encode(page, 'base64'), E'\n', ''),
                format('base64 -d | dd of=%s bs=8192 conv=notrunc iflag=fullblock status=none', pg_relation_filepath('ward')));
            END $$
            """, "SELECT title_key <> lower(title) FROM ward WHERE id = 7") with { Restarts = true },
    ];

    private static string Doubling(int rows) => $"""
        CREATE FUNCTION ward_double(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 2 * $1';
        CREATE TABLE ward (id integer PRIMARY KEY, n integer, twice integer GENERATED ALWAYS AS (ward_double(n)) STORED);
        INSERT INTO ward (id, n) SELECT g, g * 3 FROM generate_series(1, {rows}) g;
        CREATE INDEX ward_n ON ward (n);
        CREATE INDEX ward_n_too ON ward (n DESC, id)
        """;

    private static string Doubled(string rows) => $"""
        CREATE OR REPLACE FUNCTION ward_double(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1000003 + $1';;
        UPDATE ward SET n = n WHERE {rows};;
        CREATE OR REPLACE FUNCTION ward_double(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 2 * $1';;CHECKPOINT
        """;

    private static Mechanism Rows(string name, IReadOnlyList<string> kinds, IReadOnlyList<string> checks, string prepare, string injure, string took) =>
        new(name, kinds, checks, prepare, injure, took)
        {
            OneTransaction = true,
            OnlyAll = true,
            Everywhere = true,
            Policy = new Policy { Consent = true, Allow = Grade.Reversible, SnapshotBeforeRepair = false },
        };
}
