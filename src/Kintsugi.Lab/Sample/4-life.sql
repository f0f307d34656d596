-- A database that has lived a little: updated in place (HOT chains), updated elsewhere, deleted from, vacuumed, used again.
UPDATE movies SET minutes = minutes + 1 WHERE id % 19 = 0;
UPDATE users SET settings = settings || '{"seen": true}' WHERE id % 10 = 0;
DELETE FROM import_lines WHERE line = 7;
DELETE FROM movie_genres WHERE movie_id % 40 = 0 AND weight > 0.6;
