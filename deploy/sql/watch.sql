-- Kintsugi, mode watch: role kintsugi may examine this database and can change nothing in it.
-- Run it as a superuser in every database to be examined (psql -f watch.sql DATABASE); running it again does no harm.
-- It sets no password: ALTER ROLE kintsugi PASSWORD …, or peer, certificate or GSS authentication in pg_hba.conf.
DO $watch$
DECLARE
  version integer := pg_catalog.current_setting('server_version_num')::integer;
  place record;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'kintsugi') THEN
    CREATE ROLE kintsugi LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
  END IF;
  EXECUTE pg_catalog.format('GRANT CONNECT ON DATABASE %I TO kintsugi', pg_catalog.current_database());

  -- Statistics, settings and what other sessions do; pg_visibility is open to one of its parts (pg_stat_scan_tables).
  GRANT pg_monitor TO kintsugi;
  IF version < 150000 THEN -- since 15 part of pg_monitor
    GRANT SELECT ON pg_catalog.pg_file_settings TO kintsugi;
    GRANT EXECUTE ON FUNCTION pg_catalog.pg_show_all_file_settings() TO kintsugi;
  END IF;

  -- Every row has to be read to be proven.
  IF version >= 140000 THEN
    GRANT pg_read_all_data TO kintsugi;
  ELSE -- 13 has no such role: what is created later needs this script again
    FOR place IN SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE n.nspname !~ '^pg_(toast|temp)' AND n.nspname <> 'information_schema' LOOP
      EXECUTE pg_catalog.format('GRANT USAGE ON SCHEMA %I TO kintsugi', place.nspname);
      EXECUTE pg_catalog.format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO kintsugi', place.nspname);
      EXECUTE pg_catalog.format('GRANT SELECT ON ALL SEQUENCES IN SCHEMA %I TO kintsugi', place.nspname);
    END LOOP;
  END IF;

  -- The server's own checkers. Both only read; they lie in the contrib package.
  CREATE EXTENSION IF NOT EXISTS amcheck;
  CREATE EXTENSION IF NOT EXISTS pg_visibility;
  FOR place IN
    SELECT p.oid::pg_catalog.regprocedure AS name, pg_catalog.quote_ident(n.nspname) AS home
    FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.refobjid = e.oid
    JOIN pg_catalog.pg_proc p ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND p.oid = d.objid
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE e.extname = 'amcheck' AND p.proname IN ('bt_index_check', 'bt_index_parent_check', 'verify_heapam', 'gin_index_check')
  LOOP
    EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO kintsugi', place.name);
    EXECUTE pg_catalog.format('GRANT USAGE ON SCHEMA %s TO kintsugi', place.home);
  END LOOP;
END $watch$;

-- Tables under row level security stay unexamined: only a role that sees every row could tell. If you want that:
-- ALTER ROLE kintsugi BYPASSRLS;
