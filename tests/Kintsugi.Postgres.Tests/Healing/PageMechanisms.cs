using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Repairs.Maps;

namespace Kintsugi.Postgres.Tests.Healing;

/// <summary>
/// Pages that come from the WAL, pointers that find their value again, a table that is written anew, and numbers that are gathered again. Their kinds of steps
/// are killed elsewhere too, so that ./test --all alone kills them.
/// </summary>
internal static class PageMechanisms
{
    private static Policy RowsMayChange { get; } = new() { Consent = true, Allow = Grade.Reversible };

    public static IReadOnlyList<Mechanism> All { get; } =
    [
        // A page is torn in a way that nothing on it explains. Its image is the WAL's last word.
        new("restore-pages", [WritePagesStep.Name], ["pages"], Paged, $"""
            {KeepWal};;
            SELECT id FROM ward WHERE id = (SELECT min(id) FROM ward WHERE {OfBlock}) FOR UPDATE;;CHECKPOINT;;
            {Tear}
            """, Torn) { OneTransaction = true, OnlyAll = true, Restarts = true },

        // Empty, for a crash empties unlogged tables; that is what they are. A checkpoint first: where redo makes the init fork again beside the old main fork, no server starts.
        new("restore-init-fork", [RestoreInitForkStep.Name], ["pages"], "CREATE UNLOGGED TABLE ward (id integer PRIMARY KEY, mark integer)",
            "CHECKPOINT;;DO $$ BEGIN EXECUTE format('COPY (SELECT) TO PROGRAM %L', format('cat >/dev/null; rm %s_init', pg_relation_filepath('ward'))); END $$",
            "SELECT pg_stat_file(pg_relation_filepath('ward') || '_init', true) IS NULL") { OneTransaction = true },

        // The page of a sequence is gone, and the WAL does not reach back to it.
        new("rebuild-sequence", [WritePagesStep.Name, SetSequenceStep.Name], ["pages", "sequence"], """
            CREATE TABLE ward (id serial PRIMARY KEY, body text) WITH (autovacuum_enabled = off);
            INSERT INTO ward (body) SELECT md5(g::text) FROM generate_series(1, 300) g
            """, """
            SELECT pg_switch_wal();;CHECKPOINT;;CREATE TABLE filler ();;DROP TABLE filler;;SELECT pg_switch_wal();;CHECKPOINT;;
            CREATE TABLE filler ();;DROP TABLE filler;;SELECT pg_switch_wal();;CHECKPOINT;;
            DO $$ BEGIN EXECUTE format('COPY (SELECT) TO PROGRAM %L', format('cat >/dev/null; dd if=/dev/zero of=%s bs=8192 count=1 conv=notrunc status=none',
              pg_relation_filepath('ward_id_seq'))); END $$
            """, "SELECT pg_read_binary_file(pg_relation_filepath('ward_id_seq'), 0, 24) = decode(repeat('00', 24), 'hex')")
        {
            OneTransaction = true, OnlyAll = true, Restarts = true, Everywhere = true,
        },

        // One bit of a pointer's value id rots under a checksum that fits.
        new("relink-toast", [WritePagesStep.Name], ["heap", "toast-values"], """
            CREATE TABLE ward (id integer PRIMARY KEY, body text) WITH (autovacuum_enabled = off);
            ALTER TABLE ward ALTER body SET STORAGE EXTERNAL;
            INSERT INTO ward SELECT g, (SELECT string_agg(md5((g * n)::text), '') FROM generate_series(1, 80 + g) n) FROM generate_series(1, 60) g
            """, """
            VACUUM ward;;CHECKPOINT;;
            DO $$
            DECLARE page bytea := get_raw_page('ward', 0); toast bytea := '\x00000000'; mark integer;
            BEGIN
              FOR i IN 0..3 LOOP toast := set_byte(toast, i, (reltoastrelid::bigint >> (8 * i))::integer & 255) FROM pg_class WHERE oid = 'ward'::regclass; END LOOP;
              mark := position(toast IN page) - 1 - 2;
              page := set_byte(page, mark, get_byte(page, mark) # 1);
              mark := page_checksum(page, 0) & 65535;
              page := set_byte(set_byte(page, 8, mark & 255), 9, mark >> 8);
              EXECUTE format('COPY (SELECT %L) TO PROGRAM %L', replace(encode(page, 'base64'), E'\n', ''),
                format('base64 -d | dd of=%s bs=8192 conv=notrunc iflag=fullblock status=none', pg_relation_filepath('ward')));
            END $$
            """, "SELECT true") { OneTransaction = true, OnlyAll = true, Restarts = true, Depth = Depth.Deep, Policy = RowsMayChange },

        // The map of before a row was replaced is put back, and a person wants the table written anew.
        Mechanism.OfLyingMap with
        {
            Name = RewriteTableRepair.Name, Kinds = [UnboundedSqlStep.Name], Repair = RewriteTableRepair.Name, OneTransaction = true, OnlyAll = true, Rewrites = true,
        },

        new("analyze", [UnboundedSqlStep.Name], ["catalog"], """
            CREATE TABLE ward (id integer PRIMARY KEY, body text) WITH (autovacuum_enabled = off);
            INSERT INTO ward SELECT g, nullif(g % 7, 3) FROM generate_series(1, 300) g;
            ANALYZE ward
            """, "UPDATE pg_statistic SET stanullfrac = 7 WHERE starelid = 'ward'::regclass AND staattnum = 2",
            "SELECT stanullfrac = 7 FROM pg_statistic WHERE starelid = 'ward'::regclass AND staattnum = 2")
        {
            OneTransaction = true,
            OnlyAll = true,
        },
    ];

    private const string Paged = """
        CREATE TABLE ward (id integer PRIMARY KEY, body text) WITH (autovacuum_enabled = off);
        INSERT INTO ward SELECT g, repeat(md5(g::text), 5) FROM generate_series(1, 600) g
        """;

    private const string KeepWal = "ALTER SYSTEM SET wal_keep_size = '256MB';;SELECT pg_reload_conf();;CHECKPOINT";

    private const string OfBlock = "ctid >= '(1,0)' AND ctid < '(2,0)'";

    private const string Tear = """
        DO $$ BEGIN EXECUTE format('COPY (SELECT) TO PROGRAM %L', format('cat >/dev/null; head -c 700 /dev/zero | tr "\0" Z | dd of=%s bs=1 seek=13192 conv=notrunc status=none',
          pg_relation_filepath('ward'))); END $$
        """;

    private const string Torn = "SELECT get_byte(pg_read_binary_file(pg_relation_filepath('ward'), 13192, 1), 0) = 90";
}
