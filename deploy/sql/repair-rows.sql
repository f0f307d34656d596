-- Kintsugi, mode repair rows, after watch.sql: role kintsugi may also do what the owners of the tables may. That is what moves rows into
-- quarantine, changes values and rebuilds indexes and maps, and it is less than a superuser: code in triggers gets nothing that its owner lacks.
-- Run as a superuser in every database that may be healed, and again after a new owner has come.
DO $rows$
DECLARE
  owner record;
BEGIN
  FOR owner IN
    SELECT DISTINCT r.rolname, r.rolsuper FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_roles r ON r.oid = c.relowner JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm', 'S') AND c.oid >= 16384 AND n.nspname !~ '^pg_' AND r.rolname <> 'kintsugi'
  LOOP
    IF owner.rolsuper THEN -- membership would make kintsugi a superuser by the back door
      RAISE NOTICE 'tables of superuser % are examined only: give them another owner, or see repair-physically.sql', owner.rolname;
    ELSE
      EXECUTE pg_catalog.format('GRANT %I TO kintsugi', owner.rolname);
    END IF;
  END LOOP;

  -- Where the old rows are kept, and the audit: a schema of its own rather than the right to create schemas.
  CREATE SCHEMA IF NOT EXISTS kintsugi AUTHORIZATION kintsugi;
  REVOKE ALL ON SCHEMA kintsugi FROM PUBLIC;
END $rows$;

-- The lock against a second healer lies in database postgres (files and shared catalogs belong to no single database).
GRANT CONNECT ON DATABASE postgres TO kintsugi;
