namespace Kintsugi.Configuration;

/// <summary>The file that <c>kintsugi config init</c> writes: every key with a word on it, ready to run as it stands.
/// "# " begins prose, "#" directly before a key begins a setting that is off.</summary>
public static class ConfigurationTemplate
{
    public const string Text = """
        # yaml-language-server: $schema=./kintsugi.schema.json
        # Kintsugi: finds corruption in PostgreSQL, snapshots, repairs, proves, records.
        # Check this file with:                kintsugi config check -c config.yaml
        # Let an editor help you write it:     kintsugi config schema > kintsugi.schema.json
        #
        # Durations are 30s, 10m, 1h30m, 1d, 1w. Sizes are 64MB, 200GB. Shares are 1%.
        # ${env:NAME} takes a value from the environment; secrets may also be { file: path } or { env: NAME }.
        # Every value can be overridden by a variable: KINTSUGI__DATABASE__AUTO_HEALING__HEALTH_CHECK_INTERVAL=30s

        database:
          auto_healing:
            # false observes and repairs nothing.
            enabled: true
            # How often counters and critical indexes are looked at.
            health_check_interval: 10m
            # How often every index is proven against its table.
            index_check_interval: 1w
            # How often references and your own rules are checked. Writing it beside enabled: true is your consent to
            # quarantine orphans of declared foreign keys within the budget; policy: { row-orphaned: approve } takes it back.
            orphan_cleanup_interval: 1d
            # Whether what a repair alters is copied first.
            snapshot_before_repair: true
            # Attempts on one case before it is handed to a person.
            max_auto_repair_attempts: 3
            # Whether a case handed to a person raises a critical alert.
            alert_on_failure: true

          # The server under care: a connection URI or keyword string. Left out, flags and PG* variables say where.
          #connection: host=/var/run/postgresql user=kintsugi
          # The password, when it is kept apart.
          #password: { file: /run/secrets/kintsugi-password }
          # Which databases, by patterns as in psql.
          #databases: ["*"]
          # The data directory, when its files can be read from here.
          #data_directory: /var/lib/postgresql/18/main

        # Several servers, instead of the connection above:
        # targets:
        #   - name: main
        #     connection: host=db1 user=kintsugi
        #     databases: [app, "shop_*"]
        #     data_directory: /var/lib/postgresql/18/main
        #     mode: observe
        #     policy: { index-corrupt: approve }
        #     consistency: { rules: [] }

        # heal does what policy allows; observe only shows what would be done.
        mode: heal

        # What may happen without a person, by fault class: auto, approve or never. A class that is not named follows what
        # ships: repairs that lose nothing run, those that change rows wait for approval.
        policy:
          #index-corrupt: auto
          #row-orphaned: approve
          #unique-violated: never
          # Other choices for some databases or tables; the first that fits wins.
          #exceptions: [ { fault: index-corrupt, database: app, table: "public.audit_*", policy: approve } ]
          # Whether rows found bad by the first scrub are repaired without being acknowledged.
          repair_existing: false
          # Bad rows are repaired only when two scrubs this far apart saw them.
          confirm_after: 24h

        # How much may change without a person.
        budget:
          # Per case: so many rows, and no more than this share of the table (ten rows are always within it).
          rows_per_case: 1000
          share_per_case: 1%
          # Over all cases; what exceeds it waits.
          cases_per_hour: 20
          rows_per_day: 10000
          # Also: cases_per_day, rows_per_hour, bytes_per_hour, bytes_per_day (500GB).

        # New damage to files that looks as if it were still being done (a failing disk) stops every repair until a person has looked.
        breaker:
          # In one scrub: so many objects, or so many findings.
          new_objects: 10
          new_findings: 100
          # So many new ones beside known ones that still stand. Errors of the operating system in reading stop repairs at once.
          rise: 3

        # When heavy locks are allowed; none means always. A window that ends at or before its beginning ends on the next day.
        windows:
          #- { days: [sat, sun], from: "02:00", to: "05:00", zone: Europe/Berlin }

        snapshots:
          # Left out, in the state directory.
          #directory: /var/lib/kintsugi/snapshots
          # How the whole cluster is copied (files of single relations are always copied as they are): copy while it runs;
          # stop_copy_start stops the server and starts it again; command runs a command of yours, for storage that takes its own snapshots.
          provider: copy
          # With provider: command, and only then. {id}, {case}, {directory}, {server} and {port} are filled in:
          # command: zfs snapshot tank/postgres@{id}
          # With provider: stop_copy_start, instead of pg_ctl:
          # stop: systemctl stop postgresql@18-main
          # start: systemctl start postgresql@18-main
          # Copies write no more than this in a second; left out, as fast as the disk goes.
          #max_rate: 100MB
          # What is kept: always the last few; older than so many days or above this size, the oldest go first.
          keep:
            last: 5
            #days: 30
            #size: 200GB

        alerts:
          # More orphaned rows than this raise a warning.
          orphaned_rows_warning: 1000
          # Called after each finished look, for a watcher that shouts when it hears nothing.
          #dead_man: https://example.org/ping/kintsugi
          # Each receiver has one of webhook, slack, pagerduty, alertmanager, email, log: true. severity is the least it gets.
          receivers:
            #- { name: ops, webhook: "https://example.org/hook", secret: { file: /run/secrets/hook }, severity: warning }
            #- { name: chat, slack: { env: SLACK_WEBHOOK } }
            #- { name: duty, pagerduty: { env: PAGERDUTY_KEY }, severity: critical }
            #- { name: prometheus, alertmanager: "http://127.0.0.1:9093" }
            #- { name: post, email: { to: [ops@example.org], from: kintsugi@example.org, server: "mail.example.org:587", user: kintsugi, password: { env: MAIL_PASSWORD } } }
            #- { name: log, log: true }

        # Where cases are recorded. Commands that touch no patient find it there with -c or $KINTSUGI_CONFIG.
        ledger:
          # Left out, in the state directory.
          #sqlite: /var/lib/kintsugi/ledger.db
          # Instead of sqlite, for several nodes: a database on a server that is not under care.
          # postgres: host=ledger dbname=kintsugi user=kintsugi
          # A node that was silent for so long is followed by another.
          lease: 10s
          # true: the ledger may lie on a server that is under care, and is lost with it.
          allow_on_target: false

        jobs:
          # How often every page's checksum is verified.
          checksum_verify_interval: 1w
          # Looked at in every health check; left out, the primary keys of the most used tables.
          #critical_indexes: [public.movies_pkey]
          # Of several nodes: sessions that a look has at its target over all of them, and the least that one of its pieces reads
          # to be done by another node.
          sessions: 2
          unit_size: 256MB

        http:
          # The API and the metrics. An address that others can reach needs api_keys.
          listen: 127.0.0.1:9432
          # sha256 of a key: printf %s "$KEY" | sha256sum. Roles: viewer, operator, admin.
          #api_keys: [ { name: ann, sha256: 0000000000000000000000000000000000000000000000000000000000000000, role: operator } ]
          # Tokens of an OpenID Connect issuer, beside the keys. A token's role_claim must have one of the values that follow.
          #oidc: { issuer: "https://login.example.org", audience: kintsugi, name_claim: sub, role_claim: roles, viewer: [viewer], operator: [operator], admin: [admin] }

        logging:
          # trace, debug, information, warning, error, critical
          level: information
          # text or json
          format: text

        telemetry:
          # Metrics and traces are sent there, beside /metrics; left out, nothing is sent. protocol: http (to /v1/metrics and /v1/traces below) or grpc.
          #otlp: http://127.0.0.1:4318
          #protocol: http
          # Sent along, as name=value,name=value.
          #headers: authorization=Bearer KEY
          # How often metrics are sent.
          #interval: 1m

        # What you know about the data that the schema does not say. Names follow SQL: 'public."Mixed Case"'.
        consistency:
          # References that the schema does not declare. repair: report, quarantine, set_null, set_default.
          #foreign_keys: [ { name: movie_metadata, table: public.movies, columns: [id], references: { table: public.external_metadata, columns: [movie_id] }, where: tmdb_id is not null, repair: report } ]
          # Columns that hold an enum's labels (type) or one of a list (values). repair: report, nullify, quarantine, { set: expression }.
          #enums: [ { name: rating, column: public.movies.rating_text, values: [G, PG, R], repair: nullify, flag: needs_review } ]
          # Columns whose JSON matches a schema: inline, or schema_file. nulls: allowed or forbidden.
          #json: [ { name: metadata, column: public.movies.metadata_json, schema: { type: object, required: [release_date] }, nulls: allowed, repair: nullify, flag: needs_review } ]
          # Rules in SQL: a query that returns the keys of bad rows. repair: report, quarantine.
          #rules: [ { name: finished_before_started, table: public.watch_history, query: select id from public.watch_history where finished_at < started_at, severity: warning, repair: report } ]
          # Rows that violate a declared constraint. repair: report, quarantine, set_null, set_default, recreate_parent, delete.
          #constraints: [ { constraint: public.movie_genres.movie_genres_movie_id_fkey, repair: quarantine } ]
          # Which of several rows under one unique index stays: newest, oldest, most_referenced, { order_by: SQL }.
          #unique: [ { index: public.movies_tmdb_id_key, keep: most_referenced } ]

        """;
}
