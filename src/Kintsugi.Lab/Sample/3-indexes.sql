-- Keys, constraints and every index access method; after the rows, because that is quicker.
CREATE UNIQUE INDEX genres_slug_key ON genres (slug);
ALTER TABLE movies ADD CONSTRAINT movies_catalogue_number_key UNIQUE (catalogue_number);
ALTER TABLE movies ADD CONSTRAINT movies_sequel_of_fkey FOREIGN KEY (sequel_of) REFERENCES movies (id) ON DELETE SET NULL;
CREATE INDEX movies_shelf_title_idx ON movies (shelf_title);
CREATE INDEX movies_search_key_idx ON movies (search_key(title));
CREATE INDEX movies_upcoming_idx ON movies (released) WHERE state <> 'released';
CREATE INDEX movies_released_minutes_idx ON movies (released DESC NULLS LAST, minutes) INCLUDE (title);
CREATE INDEX movies_tags_gin ON movies USING gin (tags);
CREATE INDEX movies_details_gin ON movies USING gin (details jsonb_path_ops);
CREATE INDEX movies_words_gin ON movies USING gin (words);

ALTER TABLE movie_genres ADD PRIMARY KEY (movie_id, genre_id);
ALTER TABLE movie_genres ADD CONSTRAINT movie_genres_movie_id_fkey FOREIGN KEY (movie_id) REFERENCES movies (id) ON DELETE CASCADE;
ALTER TABLE movie_genres ADD CONSTRAINT movie_genres_genre_id_fkey FOREIGN KEY (genre_id) REFERENCES genres (id);
CREATE INDEX movie_genres_genre_id_idx ON movie_genres (genre_id);

ALTER TABLE external_metadata ADD PRIMARY KEY (movie_id, source);
ALTER TABLE external_metadata ADD CONSTRAINT external_metadata_movie_id_fkey
  FOREIGN KEY (movie_id) REFERENCES movies (id) ON DELETE CASCADE;
CREATE UNIQUE INDEX external_metadata_source_external_id_key ON external_metadata (source, external_id);

ALTER TABLE media_files ADD PRIMARY KEY (id);
ALTER TABLE media_files ADD CONSTRAINT media_files_movie_id_fkey FOREIGN KEY (movie_id) REFERENCES movies (id) ON DELETE RESTRICT;
CREATE INDEX media_files_digest_hash ON media_files USING hash (digest);
CREATE INDEX media_files_path_spgist ON media_files USING spgist (path);

ALTER TABLE seasons ADD PRIMARY KEY (series_id, season);
ALTER TABLE seasons ADD CONSTRAINT seasons_series_id_fkey FOREIGN KEY (series_id) REFERENCES movies (id) ON DELETE CASCADE;
ALTER TABLE episodes ADD PRIMARY KEY (id);
ALTER TABLE episodes ADD CONSTRAINT episodes_season_fkey FOREIGN KEY (series_id, season) REFERENCES seasons ON DELETE CASCADE;
CREATE INDEX episodes_season_idx ON episodes (series_id, season);

CREATE UNIQUE INDEX users_email_key ON users (lower(email));
ALTER TABLE users ADD CONSTRAINT users_handle_key UNIQUE (handle);
ALTER TABLE users ADD CONSTRAINT users_invited_by_fkey FOREIGN KEY (invited_by) REFERENCES users (id) ON DELETE SET NULL;

ALTER TABLE watch_history ADD PRIMARY KEY (id, watched_at);
ALTER TABLE watch_history ADD CONSTRAINT watch_history_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id);
ALTER TABLE watch_history ADD CONSTRAINT watch_history_movie_id_fkey FOREIGN KEY (movie_id) REFERENCES movies (id);
CREATE INDEX watch_history_user_id_idx ON watch_history (user_id, watched_at);
CREATE INDEX watch_history_watched_at_brin ON watch_history USING brin (watched_at) WITH (pages_per_range = 4);
ALTER TABLE watch_notes ADD PRIMARY KEY (watch_id, watched_at);
ALTER TABLE watch_notes ADD CONSTRAINT watch_notes_watch_fkey
  FOREIGN KEY (watch_id, watched_at) REFERENCES watch_history (id, watched_at) ON DELETE CASCADE;
ALTER TABLE ratings ADD CONSTRAINT ratings_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;

-- A room is turned into a range of one, so that no extension is needed for the equality.
ALTER TABLE screenings ADD CONSTRAINT screenings_no_overlap
  EXCLUDE USING gist (int4range(room, room, '[]') WITH &&, during WITH &&);
CREATE INDEX shelves_mark_idx ON shelves (mark shelf_ops);
CREATE INDEX specimens_place_gist ON specimens USING gist (place);
CREATE INDEX "Odd Schema""; DROP TABLE movies; --" ON "Odd Schema"."we;ird""name" ("a.b c", "select");
CREATE UNIQUE INDEX "🎬 unique" ON "Odd Schema"."🍿 %s {0}" (lower("Value"));

CREATE MATERIALIZED VIEW popular_movies AS
  SELECT movie_id, count(*) AS views, sum(seconds) AS seconds FROM watch_history GROUP BY movie_id;
CREATE UNIQUE INDEX popular_movies_movie_id_key ON popular_movies (movie_id);
CREATE VIEW released_movies AS SELECT id, title, released FROM movies WHERE state = 'released';

CREATE FUNCTION record_user_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.audit_log (actor, entry) VALUES (NEW.handle, TG_OP || ' of user ' || NEW.id);
  RETURN NEW;
END $$;
CREATE TRIGGER users_audit AFTER INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION record_user_change();
ALTER TABLE diaries ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_diary ON diaries USING (user_id = nullif(current_setting('media.user', true), '')::integer);
COMMENT ON TABLE movies IS 'Every film that the service knows, shown or not.';
