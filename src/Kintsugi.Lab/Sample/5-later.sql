-- After the vacuum: pages that are not all-visible, and dead rows that nobody has cleaned up.
UPDATE movies SET touched_at = '2026-02-02 00:00:00+00' WHERE id % 97 = 0;
UPDATE "Odd Schema"."we;ird""name" SET "select" = "select" || '!' WHERE "Primary Key" % 50 = 0;
DELETE FROM ratings WHERE movie_id % 61 = 0;
