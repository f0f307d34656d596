using System.Text.Json;
using Kintsugi.Configuration;
using Kintsugi.Rules;

namespace Kintsugi.Engine.Tests.Configuration;

/// <summary>The files that users start from.</summary>
public sealed class ExampleTests
{
    private const string OwnersBlock = """
        database:
          auto_healing:
            enabled: true
            health_check_interval: 10m
            index_check_interval: 1w
            orphan_cleanup_interval: 1d
            snapshot_before_repair: true
            max_auto_repair_attempts: 3
            alert_on_failure: true

        """;

    private const string Around = """
        targets:                            # or none
          - { name: main, connection: "host=db user=kintsugi", databases: ["*"], consistency: {}, policy: {} }
        mode: heal                          # observe | heal
        policy: { index-corrupt: auto, row-orphaned: approve, unique-violated: never }
        budget: { rows_per_case: 1000, share_per_case: 1%, cases_per_hour: 20, rows_per_day: 10000 }
        breaker: { new_objects: 5, new_findings: 50, rise: 2 }
        windows: [ { days: [sat, sun], from: "02:00", to: "05:00", zone: Europe/Berlin } ]
        snapshots: { directory: /snap, provider: command, command: zfs snapshot, keep: { last: 5, days: 30, size: 200GB } }
        alerts: { receivers: [ { name: ops, webhook: https://x.test/y, secret: { file: /run/hook } } ], orphaned_rows_warning: 1000 }
        ledger: { sqlite: ledger.db }
        jobs: { checksum_verify_interval: 1w, critical_indexes: [public.movies_pkey] }
        http: { listen: 127.0.0.1:9432, api_keys: [ { name: ann, sha256: abababababababababababababababababababababababababababababababab, role: operator } ] }
        logging: { level: information, format: json }
        consistency:
          constraints: [ { constraint: public.movie_genres.movie_genres_movie_id_fkey, repair: quarantine } ]
          unique: [ { index: public.movies_tmdb_id_key, keep: most_referenced } ]
          foreign_keys:
            - name: movie_metadata
              table: public.movies
              columns: [id]
              references: { table: public.external_metadata, columns: [movie_id] }
              where: tmdb_id is not null
              repair: report
          enums:
            - column: public.movies.rating_text
              type: public.content_rating   # or values
              repair: nullify
              flag: needs_review
            - column: public.movies.other
              values: [G, PG, R]
              repair: { set: "upper(other)" }
          json:
            - column: public.movies.metadata_json
              schema: { type: object, required: [release_date], properties: { release_date: { type: string } } }
              nulls: allowed
              repair: nullify
              flag: needs_review
          rules:
            - name: finished_before_started
              table: public.watch_history
              query: select id from public.watch_history where finished_at < started_at   # keys of bad rows
              severity: warning
              repair: report
        """;

    [Fact]
    public void The_owners_block_works_exactly_as_it_stands()
    {
        var configuration = new Reading().Valid(OwnersBlock);

        Assert.Equal(
            new AutoHealing
            {
                Enabled = true,
                HealthCheckInterval = TimeSpan.FromMinutes(10),
                IndexCheckInterval = TimeSpan.FromDays(7),
                OrphanCleanupInterval = TimeSpan.FromDays(1),
                OrphanCleanupConsented = true,
                SnapshotBeforeRepair = true,
                MaxAutoRepairAttempts = 3,
                AlertOnFailure = true,
            },
            configuration.AutoHealing);
        var target = Assert.Single(configuration.Targets);
        Assert.Null(target.Connection);
        Assert.Equal(["*"], target.Databases);
    }

    [Fact]
    public void Copies_are_held_to_a_rate_when_the_owner_names_one()
    {
        Assert.Equal(100L << 20, new Reading().Valid("snapshots: { max_rate: 100MB }\n").Snapshots.Rate);
        Assert.Null(new Reading().Valid("snapshots: { keep: { last: 3 } }\n").Snapshots.Rate);
        Assert.Contains("max_rate", new Reading().Mistake("snapshots: { max_rate: fast }\n"), StringComparison.Ordinal);
    }

    [Fact]
    public void Everything_around_the_block_reads_into_what_it_says()
    {
        var configuration = new Reading().File("/run/hook", "s3cret\n").Valid(OwnersBlock + Around);

        var target = Assert.Single(configuration.Targets);
        Assert.Equal(("main", "host=db user=kintsugi"), (target.Name, target.Connection!.Reveal()));
        Assert.Empty(target.Policy.ByFault);
        Assert.Equal(0.01, configuration.Budget.PerCase.SharePerCase);
        Assert.Equal(new BreakerLimits { NewObjects = 5, NewFindings = 50, Rise = 2 }, configuration.Breaker);
        var window = Assert.Single(configuration.Windows);
        Assert.Equal(new HashSet<DayOfWeek> { DayOfWeek.Saturday, DayOfWeek.Sunday }, window.Days);
        Assert.Equal("Europe/Berlin", window.Zone.Id);
        Assert.Equal(
            new("/snap", SnapshotProvider.Command, "zfs snapshot", 5, TimeSpan.FromDays(30), 200L << 30), configuration.Snapshots);
        var webhook = Assert.IsType<Receiver.Webhook>(Assert.Single(configuration.Alerts.Receivers));
        Assert.Equal(("ops", "https://x.test/y", "s3cret"), (webhook.Name, webhook.Url.Reveal(), webhook.Secret!.Reveal()));
        Assert.Equal("/etc/kintsugi/ledger.db", configuration.Ledger.Sqlite);
        Assert.Equal([new ObjectName("public", "movies_pkey")], configuration.Jobs.CriticalIndexes);
        Assert.Equal(ApiRole.Operator, Assert.Single(configuration.Http.ApiKeys).Role);
        Assert.Equal(LoggingFormat.Json, configuration.Logging.Format);
    }

    [Fact]
    public void The_owners_rules_reach_the_targets_that_have_none_of_their_own()
    {
        var rules = Assert.Single(new Reading().Valid(Around[Around.IndexOf("consistency:\n", StringComparison.Ordinal)..]).Targets).Consistency;

        var reference = Assert.Single(rules.ForeignKeys);
        Assert.Equal("public.external_metadata(movie_id)", $"{reference.ReferencedTable}({reference.ReferencedColumns[0]})");
        Assert.Equal("tmdb_id is not null", reference.Where);
        Assert.Equal(new RowRepair.Nullify(), rules.Enums[0].Repair);
        Assert.Equal("public.movies.rating_text", rules.Enums[0].Name);
        Assert.Equal(new RowRepair.SetExpression("upper(other)"), rules.Enums[1].Repair);
        Assert.Equal(["G", "PG", "R"], rules.Enums[1].Values);
        var json = Assert.Single(rules.Json);
        Assert.Equal("needs_review", json.Flag);
        Assert.Equal("""{"type":"object","required":["release_date"],"properties":{"release_date":{"type":"string"}}}""", json.Schema);
        Assert.Equal("select id from public.watch_history where finished_at < started_at", Assert.Single(rules.Sql).Query);
        Assert.Equal(new RowRepair.Quarantine(), Assert.Single(rules.Constraints).Repair);
        Assert.Equal("movie_genres_movie_id_fkey", rules.Constraints[0].Constraint);
        Assert.Equal(new KeepRow.MostReferenced(), Assert.Single(rules.Unique).Keep);
    }

    [Fact]
    public void The_written_file_reads_back_as_the_defaults()
    {
        var written = new Reading().Valid(ConfigurationTemplate.Text);
        var nothing = new Reading().Valid("");

        Assert.Equal(nothing.AutoHealing with { OrphanCleanupConsented = true }, written.AutoHealing);
        Assert.Equal(nothing.Budget, written.Budget);
        Assert.Equal(nothing.Breaker, written.Breaker);
        Assert.Equal(nothing.Snapshots, written.Snapshots);
        Assert.Equal(nothing.Ledger, written.Ledger);
        Assert.Equal(nothing.Jobs.ChecksumVerifyInterval, written.Jobs.ChecksumVerifyInterval);
        Assert.Equal(nothing.Http.Listen, written.Http.Listen);
        Assert.Equal(nothing.Logging, written.Logging);
        Assert.Equal(nothing.Alerts.OrphanedRowsWarning, written.Alerts.OrphanedRowsWarning);
        Assert.Empty(written.Windows);
        Assert.Empty(written.Alerts.Receivers);
    }

    [Fact]
    public void The_written_file_also_reads_with_everything_switched_on()
    {
        var on = string.Join('\n', ConfigurationTemplate.Text.Split('\n').Select(SwitchOn));
        var reading = new Reading().File("/run/secrets/kintsugi-password", "p").File("/run/secrets/hook", "s")
            .Variable("SLACK_WEBHOOK", "https://x.test").Variable("PAGERDUTY_KEY", "k").Variable("MAIL_PASSWORD", "m");

        var configuration = reading.Valid(on);

        Assert.Equal(6, configuration.Alerts.Receivers.Count);
        Assert.Single(configuration.Targets[0].Consistency.Json);
        Assert.Equal("p", configuration.Targets[0].Password!.Reveal());
    }

    [Fact]
    public void The_written_file_names_every_key_that_can_be_set()
    {
        using var schema = JsonDocument.Parse(ConfigurationSchema.Text());
        var faults = Faults.All.Select(fault => fault.Id).ToHashSet();

        var unnamed = KeysIn(schema.RootElement).Distinct()
            .Where(key => !faults.Contains(key) && !ConfigurationTemplate.Text.Contains(key, StringComparison.Ordinal));

        Assert.Empty(unnamed);
    }

    private static string SwitchOn(string line)
    {
        var text = line.TrimStart();
        return text.StartsWith('#') && text.Length > 1 && text[1] != ' ' ? line[..^text.Length] + text[1..] : line;
    }

    private static IEnumerable<string> KeysIn(JsonElement schema)
    {
        if (schema.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in schema.EnumerateObject())
            {
                var names = member.Name == "properties" ? member.Value.EnumerateObject().Select(p => p.Name) : [];
                foreach (var name in names.Concat(KeysIn(member.Value)))
                {
                    yield return name;
                }
            }
        }
        else if (schema.ValueKind == JsonValueKind.Array)
        {
            foreach (var name in schema.EnumerateArray().SelectMany(KeysIn))
            {
                yield return name;
            }
        }
    }
}
