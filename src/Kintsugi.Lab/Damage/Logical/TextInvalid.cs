namespace Kintsugi.Lab.Damage;

/// <summary>Bytes in a text column that are no UTF-8.</summary>
public sealed class TextInvalid() : SqlInjury(
    "text-invalid", "An old client library or a faulty extension wrote Latin-1 bytes into a UTF-8 database.",
    Faults.TextInvalid, new InjuryTarget("public", "audit_log"),
    [
        "INSERT INTO audit_log (id, actor, entry) VALUES (800001, 'importer', 'Caf?')",
        // A cast without a function takes the bytes as they are.
        """
        CREATE CAST (bytea AS text) WITHOUT FUNCTION;
        UPDATE audit_log SET entry = ('\x436166e9'::bytea)::text WHERE id = 800001;
        DROP CAST (bytea AS text);
        """,
    ],
    "SELECT md5(entry) = md5('\\x436166e9'::bytea) FROM audit_log WHERE id = 800001");

/// <summary>Planner statistics that cannot be.</summary>
public sealed class StatisticsNonsense() : SqlInjury(
    "statistics-nonsense", "A crash after a bulk load, or a bad in-place update: the planner believes in a table of billions.",
    Faults.StatisticsCorrupt, new InjuryTarget("public", "movies"),
    ["UPDATE pg_class SET relpages = 2000000000, reltuples = 1e15 WHERE oid = 'movies'::regclass"],
    "SELECT relpages = 2000000000 FROM pg_class WHERE oid = 'movies'::regclass");

/// <summary>The version recorded for a collation is not the one that the library has now.</summary>
public sealed class CollationVersionChanged() : SqlInjury(
    "collation-version-changed", "The operating system was upgraded: indexes on text may keep the old order.",
    Faults.CollationChanged, new InjuryTarget("public", "movies", "movies_shelf_title_idx"),
    ["UPDATE pg_collation SET collversion = '1.1' WHERE collname = 'natural_order'"],
    "SELECT collversion <> pg_collation_actual_version(oid) FROM pg_collation WHERE collname = 'natural_order'");
