-- Kintsugi, mode repair physically, after watch.sql: everything. Mending catalogs, tables that a superuser owns, pages seen through shared
-- buffers (pageinspect), damaged pages written back (COPY TO PROGRAM with base64 and dd, where the files cannot be written) and maps without a free owner are a superuser's work in PostgreSQL; there is no smaller right for them.
-- Run as a superuser, once for the server. Keep this role to the service: a local socket with peer authentication, no password.
-- For lossless rebuilds alone (indexes, visibility map) take repair-rows.sql instead; it is enough where owners are no superusers.
ALTER ROLE kintsugi SUPERUSER;
GRANT CONNECT ON DATABASE postgres TO kintsugi;
