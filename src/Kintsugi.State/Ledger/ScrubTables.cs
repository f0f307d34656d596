using Microsoft.Data.Sqlite;

namespace Kintsugi.State;

/// <summary>
/// What scrubs saw: the newest verdict and the newest proof of each object by each check, and since when each finding stands.
/// </summary>
internal static class ScrubTables
{
    public static void Record(SqliteConnection connection, string server, ScrubReport report)
    {
        foreach (var place in report.Examinations.GroupBy(
            e => (e.Check, Database: e.Target.Database ?? "", Object: Place(e.Target))))
            RecordVerdict(connection, server, report, place.Key.Check, place.Key.Database, place.Key.Object,
                [.. place.Select(e => e.Verdict)]);
        RecordSightings(connection, server, report);
    }

    public static List<Proof> Proofs(SqliteConnection connection, string server) => Sql.Rows(
        connection, "select database, object, check_id, at, depth from proofs where server = $server order by at, database, "
            + "object, check_id",
        row => new Proof(server, row.GetString(0), row.GetString(1), row.GetString(2), Sql.Time(row.GetString(3)),
            Enum.Parse<Depth>(row.GetString(4), ignoreCase: true)),
        ("$server", server));

    public static List<Sighting> Sightings(SqliteConnection connection, string server) => Sql.Rows(
        connection, "select finding, fault, database, first_seen, last_seen, scrubs from sightings where server = $server order "
            + "by finding",
        row => new Sighting(row.GetString(0), row.GetString(1), row.GetString(2), Sql.Time(row.GetString(3)),
            Sql.Time(row.GetString(4)),
            row.GetInt32(5)),
        ("$server", server));

    /// <summary>An object that was read in several portions is proven only when every portion was sound.</summary>
    private static void RecordVerdict(
        SqliteConnection connection, string server, ScrubReport report, string check, string database, string place,
            List<Verdict> verdicts)
    {
        var worst = verdicts.MaxBy(verdict => verdict switch
        {
            Verdict.Damaged => 3,
            Verdict.Unchecked => 2,
            Verdict.Sound => 1,
            _ => 0,
        })!;
        var at = Sql.Time(report.Started);
        Sql.Run(connection, "insert or replace into verdicts values ($server, $database, $object, $check, $at, $verdict, "
            + "$reason)",
            ("$server", server), ("$database", database), ("$object", place), ("$check", check), ("$at", at),
                ("$verdict", worst.Word),
            ("$reason", worst.Why));
        if (worst is Verdict.Sound)
            Sql.Run(connection, "insert or replace into proofs values ($server, $database, $object, $check, $at, $depth)",
                ("$server", server), ("$database", database), ("$object", place), ("$check", check), ("$at", at),
                ("$depth", report.Depth.ToString().ToLowerInvariant()));
    }

    private static void RecordSightings(SqliteConnection connection, string server, ScrubReport report)
    {
        var at = Sql.Time(report.Started);
        foreach (var finding in report.Findings)
            Sql.Run(connection,
                """
                insert into sightings values ($server, $finding, $check, $fault, $database, $schema, $relation, $at, $at, 1)
                on conflict do update set last_seen = $at, scrubs = scrubs + 1, check_id = $check where last_seen <> $at
                """,
                ("$server", server), ("$finding", finding.Id), ("$check", finding.Check), ("$fault", finding.Fault.Id),
                ("$database", finding.Target.Database ?? ""), ("$schema", finding.Target.Schema),
                    ("$relation", finding.Target.Relation), ("$at", at));
        // What the accusing check looked at again, in full, without seeing it, is gone: when it comes back it is new.
        foreach (var place in report.Examinations.GroupBy(e => (e.Check, e.Target.Database, e.Target.Schema, e.Target.Relation)))
            if (place.All(e => e.Verdict is Verdict.Sound or Verdict.Damaged))
                Sql.Run(connection,
                    """
                    delete from sightings where server = $server and check_id = $check and database = $database
                        and last_seen < $at
                        and ($relation is null or (relation_schema is $schema and relation is $relation))
                    """,
                    ("$server", server), ("$check", place.Key.Check), ("$database", place.Key.Database ?? ""), ("$at", at),
                    ("$schema", place.Key.Schema), ("$relation", place.Key.Relation));
    }

    /// <summary>The name of what was examined, with the constraint or rule where several stand on one table.</summary>
    private static string Place(Target target) => target.Rule is { } rule ? $"{target.Name} {rule}" : target.Name;
}
