using System.Data.Common;

namespace Kintsugi.State;

/// <summary>
/// What scrubs saw: the newest verdict and the newest proof of each object by each check, and since when each finding stands.
/// </summary>
internal static class ScrubTables
{
    /// <summary>What no scrub has said anything of for so long is gone: a partition that was dropped, a table of a database that is not looked at any more.</summary>
    private static readonly TimeSpan Kept = TimeSpan.FromDays(400);

    public static void Record(DbConnection connection, string server, ScrubReport report)
    {
        RecordVerdicts(connection, server, report);
        RecordSightings(connection, server, report);
        ForgetAcquitted(connection, server, report);
        RecordBodies(connection, server, report);
        foreach (var (database, table) in report.Turns)
            ObservationTables.Record(connection, server, new Observation(ScrubHistory.Turns, ScrubHistory.TurnKey(database, table), "", report.Started));
        ForgetGone(connection, server, Sql.Time(report.Started - Kept));
    }

    private static void ForgetGone(DbConnection connection, string server, string since)
    {
        foreach (var (table, at) in new[] { ("proofs", "at"), ("verdicts", "at"), ("sightings", "last_seen") })
            Sql.Run(connection, $"delete from {table} where server = @server and {at} < @since", ("@server", server), ("@since", since));
        // Other observations, like the order of a collation, are compared with however old they are.
        Sql.Run(connection, "delete from observations where server = @server and scope in (@turns, @bodies) and at < @since",
            ("@server", server), ("@turns", ScrubHistory.Turns), ("@bodies", ScrubHistory.BodyScope), ("@since", since));
    }

    /// <summary>What the files looked like under a proof; a place that was examined in several portions has one answer or none.</summary>
    private static void RecordBodies(DbConnection connection, string server, ScrubReport report)
    {
        if (!report.Examinations.Any(e => e.Body is not null))
            return;
        foreach (var place in Places(report.Examinations.Where(e => e.Carried is null)))
            if (place.First().Body is { } body && place.All(e => e.Body == body))
                ObservationTables.Record(connection, server, new Observation(ScrubHistory.BodyScope,
                    ScrubHistory.BodyKey(place.Key.Check, place.Key.Database, place.Key.Object), ScrubHistory.BodyValue(report.Depth, body), report.Finished));
    }

    public static List<Proof> Proofs(DbConnection connection, string server) => Sql.Rows(
        connection, "select database, object, check_id, at, depth from proofs where server = @server order by at, database, "
            + "object, check_id",
        row => new Proof(server, row.GetString(0), row.GetString(1), row.GetString(2), Sql.Time(row.GetString(3)),
            Enum.Parse<Depth>(row.GetString(4), ignoreCase: true)),
        ("@server", server));

    public static List<Sighting> Sightings(DbConnection connection, string server) => Sql.Rows(
        connection, "select finding, fault, database, first_seen, last_seen, scrubs from sightings where server = @server order "
            + "by finding",
        row => new Sighting(row.GetString(0), row.GetString(1), row.GetString(2), Sql.Time(row.GetString(3)),
            Sql.Time(row.GetString(4)),
            row.Whole(5)),
        ("@server", server));

    /// <summary>An object that was read in several portions is proven only when every portion was sound.</summary>
    private static void RecordVerdicts(DbConnection connection, string server, ScrubReport report)
    {
        var (now, depth) = (Sql.Time(report.Started), report.Depth.ToString().ToLowerInvariant());
        using var verdict = new Statement(connection,
            "insert into verdicts values (@server, @database, @object, @check, @at, @verdict, @reason) on conflict (server, database, object, check_id) "
                + "do update set at = excluded.at, verdict = excluded.verdict, reason = excluded.reason",
            "@server", "@database", "@object", "@check", "@at", "@verdict", "@reason");
        using var proof = new Statement(connection,
            "insert into proofs values (@server, @database, @object, @check, @at, @depth) on conflict (server, database, object, check_id) "
                + "do update set at = excluded.at, depth = excluded.depth",
            "@server", "@database", "@object", "@check", "@at", "@depth");
        foreach (var place in Places(report.Examinations))
        {
            var worst = place.Select(e => e.Verdict).MaxBy(Weight)!;
            var at = place.Where(e => e.Carried is not null).Select(e => e.Carried!.At).DefaultIfEmpty(report.Started).Min() is var oldest
                && oldest < report.Started ? Sql.Time(oldest) : now;
            verdict.Run(server, place.Key.Database, place.Key.Object, place.Key.Check, at, worst.Word, worst.Why);
            if (worst is Verdict.Sound)
                proof.Run(server, place.Key.Database, place.Key.Object, place.Key.Check, at, depth);
        }
        verdict.Flush();
        proof.Flush();
    }

    /// <summary>Check by check, so that the names of hundreds of thousands of places are never held together.</summary>
    private static IEnumerable<IGrouping<(string Check, string Database, string Object), Examination>> Places(IEnumerable<Examination> examinations) =>
        examinations.GroupBy(e => e.Check).SelectMany(check => check.GroupBy(e => (e.Check, Database: e.Target.Database ?? "", Object: Proof.Place(e.Target))));

    private static int Weight(Verdict verdict) => verdict switch
    {
        Verdict.Damaged => 3,
        Verdict.Unchecked => 2,
        Verdict.Sound => 1,
        _ => 0,
    };

    private static void RecordSightings(DbConnection connection, string server, ScrubReport report)
    {
        using var sighting = new Statement(connection,
            """
            insert into sightings values (@server, @finding, @check, @fault, @database, @schema, @relation, @at, @at, 1)
            on conflict (server, finding) do update set last_seen = excluded.last_seen, scrubs = sightings.scrubs + 1, check_id = excluded.check_id
                where sightings.last_seen <> excluded.last_seen
            """,
            "@server", "@finding", "@check", "@fault", "@database", "@schema", "@relation", "@at");
        foreach (var finding in report.Findings)
            sighting.Run(server, finding.Id, finding.Check, finding.Fault.Id, finding.Target.Database
                ?? "", finding.Target.Schema,
                finding.Target.Relation, Sql.Time(report.Started));
        sighting.Flush();
    }

    /// <summary>What its check looked at again, in full, without seeing it, is gone: when it comes back it is new.</summary>
    private static void ForgetAcquitted(DbConnection connection, string server, ScrubReport report)
    {
        var at = Sql.Time(report.Started);
        if (Sql.Number(connection, "select count(*) from sightings where server = @server and last_seen < @at",
            ("@server", server), ("@at", at)) == 0)
            return;
        using var acquitted = new Statement(connection,
            """
            delete from sightings where server = @server and check_id = @check and database = @database and last_seen < @at
                and (@relation is null or (relation_schema is not distinct from @schema and relation is not distinct from @relation))
            """,
            "@server", "@check", "@database", "@at", "@schema", "@relation");
        foreach (var place in report.Examinations.GroupBy(
            e => (e.Check, e.Target.Database, e.Target.Schema, e.Target.Relation)))
            if (place.All(e => e.Verdict is Verdict.Sound or Verdict.Damaged))
                acquitted.Run(server, place.Key.Check, place.Key.Database ?? "", at, place.Key.Schema, place.Key.Relation);
        acquitted.Flush();
    }
}
