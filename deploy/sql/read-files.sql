-- Kintsugi, an addition to watch.sql for a server on another machine: role kintsugi may read the files of the data directory through the server.
-- It gives the checks of raw pages, checksums and the server's log, and the snapshot that every repair takes first (no snapshot, no repair).
-- The data directory also holds the hashes of passwords: this is the right of a backup. Where Kintsugi runs on the server's own machine and
-- may read the files there, leave it out. Run as a superuser in every database.
GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean) TO kintsugi;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_stat_file(text, boolean) TO kintsugi;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text, boolean, boolean) TO kintsugi;
