namespace Kintsugi.Lab.Damage;

/// <summary>Rows that break a CHECK constraint which says it is valid.</summary>
public sealed class CheckViolated() : SqlInjury(
    "check-violated",
    "A function in a constraint was changed, or a constraint was marked valid by hand: old rows break it.",
    Faults.CheckViolated, new InjuryTarget("public", "users"),
    [
        "ALTER TABLE users DROP CONSTRAINT users_email_check",
        "UPDATE users SET email = 'nobody' || id WHERE id IN (11, 12, 13)",
        "ALTER TABLE users ADD CONSTRAINT users_email_check CHECK (email ~ '@') NOT VALID",
        "UPDATE pg_constraint SET convalidated = true WHERE conname = 'users_email_check'",
    ],
    "SELECT count(*) = 3 FROM users WHERE email !~ '@'");

/// <summary>A NULL in a column that is declared NOT NULL.</summary>
public sealed class NullInNotNull() : SqlInjury(
    "null-in-not-null",
    "The catalog was edited by hand, or a bug in a logical decoding plug-in wrote it.",
    Faults.NullForbidden, new InjuryTarget("public", "audit_log"),
    [
        "UPDATE pg_attribute SET attnotnull = false WHERE attrelid = 'audit_log'::regclass AND attname = 'actor'",
        "UPDATE audit_log SET actor = NULL WHERE id IN (SELECT id FROM audit_log ORDER BY id LIMIT 2)",
        "UPDATE pg_attribute SET attnotnull = true WHERE attrelid = 'audit_log'::regclass AND attname = 'actor'",
    ],
    // Asking IS NULL would be answered from the declaration alone on 17 and newer.
    "SELECT count(*) = 2 FROM audit_log WHERE (actor || '') IS NULL");
