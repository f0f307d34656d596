-- :movies: is the scale; every other table follows from it.
INSERT INTO genres SELECT n, 'genre-' || n, CASE WHEN n > 6 THEN 1 + n % 6 END FROM generate_series(1, 24) AS n;

INSERT INTO movies (title, shelf_title, state, released, minutes, rating, catalogue_number, sequel_of, tags, details, synopsis)
SELECT title,
       CASE WHEN title LIKE 'The %' THEN substr(title, 5) || ', The' ELSE title END,
       (enum_range(NULL::film_state))[CASE WHEN n % 50 = 0 THEN 1 + (n / 50) % 4 ELSE 3 END],
       date '1950-01-01' + (n * 37) % 27000,
       60 + (n * 13) % 120,
       CASE WHEN n % 9 <> 0 THEN ((n * 17) % 101)::numeric / 10 END,
       500000 + n,
       CASE WHEN n % 11 = 0 THEN n - 7 END,
       CASE WHEN n % 5 = 0 THEN '{}' ELSE ARRAY['tag' || n % 40, 'mood' || n % 7, 'decade' || n % 8] END,
       CASE WHEN n % 13 <> 0 THEN jsonb_build_object(
         'budget', (n * 7919) % 1000000, 'studio', 'studio ' || n % 60, 'awards', jsonb_build_array(n % 3, n % 5),
         'crew', jsonb_build_object('director', 'person ' || n % 500, 'composer', 'person ' || (n * 3) % 500)) END,
       CASE WHEN n % 17 <> 0 THEN prose(n, 3 + n % 4) END
FROM (SELECT n, (ARRAY['The ', '', 'A ', 'Return to ', 'Beyond '])[1 + n % 5]
             || (ARRAY['Golden Seam', 'Broken Bowl', 'Silent Harbour', 'Paper Moon', 'Iron Orchard', 'Glass Tide', 'Élan Vital'])
                [1 + (n / 5) % 7] || ' ' || n AS title
      FROM generate_series(1, :movies:) AS n) AS numbered;

INSERT INTO movie_genres
SELECT m, 1 + (m * g * 5 + g) % 24, (g * 0.25)::real FROM generate_series(1, :movies:) AS m, generate_series(1, 3) AS g
ON CONFLICT DO NOTHING;
DELETE FROM movie_genres AS one USING movie_genres AS other
 WHERE one.movie_id = other.movie_id AND one.genre_id = other.genre_id AND one.ctid > other.ctid;

-- Every seventh payload is big enough for TOAST even when compressed; every fifteenth raw text is compressed in TOAST.
-- (Only odd films are here: an even divisor would leave none.)
INSERT INTO external_metadata
SELECT m, s, s || '-' || m * 31,
       jsonb_build_object('id', m, 'source', s::text, 'votes', (m * 101) % 5000, 'poster', noise(m || s::text, CASE WHEN m % 7 = 0 THEN 120 ELSE 3 END)),
       CASE WHEN m % 15 = 0 THEN prose(m, 160) || noise('raw ' || m, 90) END,
       timestamptz '2026-01-01 00:00:00+00' + m * interval '1 minute'
FROM generate_series(1, :movies:, 2) AS m, unnest(ARRAY['tmdb', 'imdb']::provider[]) AS s;

INSERT INTO media_files (movie_id, path, digest, bytes, picture, thumbnail)
SELECT CASE WHEN m % 10 <> 0 THEN m END, '/library/' || (m / 100) || '/' || m || '/feature.mkv', md5('file ' || m),
       700000000 + m::bigint * 4096, ROW(1920, 800 + m % 280, 23.976)::dimensions,
       CASE WHEN m % 12 = 0 THEN decode(noise('thumb ' || m, 400 + m % 200), 'hex') END
FROM generate_series(1, :movies:) AS m;

INSERT INTO seasons SELECT s, n, 'Season ' || n FROM generate_series(1, :movies: / 50) AS s, generate_series(1, 4) AS n;
INSERT INTO episodes (series_id, season, episode, title, plot, aired)
SELECT s, n, e, 'Episode ' || e || ' of ' || s || '.' || n, prose(s * 100 + n * 10 + e, 2), date '2001-01-01' + (s * 40 + n * 7 + e)
FROM generate_series(1, :movies: / 50) AS s, generate_series(1, 4) AS n, generate_series(1, 10) AS e;
-- Composite keys with a null are legal under MATCH SIMPLE, whatever the other column says.
INSERT INTO episodes (series_id, season, episode, title) VALUES (NULL, NULL, 1, 'Unaired pilot'), (999999, NULL, 2, 'Lost reel');

INSERT INTO users (handle, email, role, settings, invited_by, joined_on)
SELECT 'user' || n, 'user' || n || '@example.org',
       CASE WHEN n = 1 THEN 'admin' WHEN n % 20 = 0 THEN 'curator' ELSE 'member' END::member_role,
       jsonb_build_object('theme', CASE n % 3 WHEN 0 THEN 'dark' ELSE 'light' END, 'volume', n % 100),
       CASE WHEN n > 3 THEN 1 + n % 3 END, date '2020-01-01' + n % 2000
FROM generate_series(1, greatest(20, :movies: / 5)) AS n;

INSERT INTO watch_history
SELECT n, timestamptz '2025-01-01 00:00:00+00' + n * (interval '400 days' / (:movies: * 3)),
       1 + (n * 7) % greatest(20, :movies: / 5), 1 + (n * 11) % :movies:, (n * 29) % 9000,
       (ARRAY['tv', 'phone', 'browser'])[1 + n % 3]
FROM generate_series(1, :movies: * 3) AS n;
INSERT INTO watch_notes SELECT id, watched_at, 'note on ' || id FROM watch_history WHERE id % 25 = 0;
INSERT INTO ratings
SELECT u, 1 + (u * k * 13) % :movies:, ((u + k) % 21)::numeric / 2
FROM generate_series(1, greatest(20, :movies: / 5)) AS u, generate_series(1, 5) AS k ON CONFLICT DO NOTHING;
INSERT INTO screenings
SELECT n, 1 + n % 5, tstzrange(begins, begins + interval '2 hours'), 1 + n % :movies:
FROM (SELECT n, timestamptz '2026-03-01 10:00:00+00' + (n / 5) * interval '3 hours' AS begins
      FROM generate_series(1, :movies: / 2) AS n) AS planned;
INSERT INTO playback_sessions SELECT md5('session ' || n)::uuid, 1 + n % 20, n * 10 FROM generate_series(1, 200) AS n;
INSERT INTO diaries SELECT 1 + n % 20, date '2025-01-01' + n, prose(n, 2) FROM generate_series(1, 300) AS n;
INSERT INTO clips SELECT n, n, 30 + n FROM generate_series(1, 50) AS n;
INSERT INTO trailers SELECT 1000 + n, n, 60 + n, CASE n % 2 WHEN 0 THEN 'en' ELSE 'fr' END FROM generate_series(1, 50) AS n;
INSERT INTO import_lines SELECT n % 40, 'line ' || n % 40 FROM generate_series(1, 120) AS n;
INSERT INTO import_lines VALUES (NULL, NULL), (NULL, NULL);
INSERT INTO shelves SELECT n, 'shelf ' || n FROM generate_series(1, 2000) AS n;

INSERT INTO specimens
SELECT md5('specimen ' || n)::uuid, (n::numeric / 7) * CASE n % 3 WHEN 0 THEN -1 ELSE 1 END,
       CASE n % 10 WHEN 0 THEN 'NaN' WHEN 1 THEN '-0' WHEN 2 THEN 'Infinity' ELSE (n / 3.0)::text END::double precision,
       chr(65 + n % 26)::"char", CASE WHEN n % 3 > 0 THEN n % 2 = 0 END, 'c' || n, ('10.0.' || n % 250 || '.1')::inet,
       (n % 64)::bit(6)::bit varying(20), n * interval '1 hour 3 seconds', time '08:00+02' + n * interval '1 minute',
       CASE WHEN n % 4 > 0 THEN ('[0:2]={' || n || ',NULL,3}')::integer[] END, ARRAY[[n, 1], [2, 3]], point(n, -n), box(point(0, 0), point(n, n)),
       CASE WHEN n % 7 = 0 THEN 'empty'::daterange ELSE daterange(date '2026-01-01', date '2026-01-01' + n) END,
       ROW(n, NULL, 25)::dimensions, NULL, json_build_object('n', n, 'null', NULL), timestamp '2026-01-01' + n * interval '1 day',
       decode(md5('raw ' || n), 'hex'), 'name ' || n
FROM generate_series(1, 100) AS n;

INSERT INTO "Odd Schema"."we;ird""name"
SELECT n, 'value; -- "' || n, 'a''b' || n, CASE WHEN n % 2 = 0 THEN '🎬' || n END, CASE WHEN n > 10 THEN n - 10 END
FROM generate_series(1, 600) AS n;
INSERT INTO "Odd Schema"."🍿 %s {0}" SELECT n, 'corn ' || n FROM generate_series(1, 500) AS n;
