using Kintsugi.Postgres.Checks.Catalog;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>What else happens when rows of those tables change: triggers, rewrite rules, replication, what is carried along.</summary>
internal sealed record RowEffects(IReadOnlyList<string> Warnings, string? NeedsApproval, string? Obstacle)
{
    private const string Triggers = """
        SELECT pg_catalog.format('trigger %I of %s fires: %s', t.tgname, t.tgrelid::pg_catalog.regclass, pg_catalog.pg_get_triggerdef(t.oid))
        FROM pg_catalog.pg_trigger t WHERE t.tgrelid = ANY ($1) AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgtype::pg_catalog.int4 & $2 <> 0
        UNION ALL
        SELECT pg_catalog.format('rule %I of %s rewrites the statement: %s', r.rulename, r.ev_class::pg_catalog.regclass, pg_catalog.pg_get_ruledef(r.oid))
        FROM pg_catalog.pg_rewrite r WHERE r.ev_class = ANY ($1) AND r.rulename <> '_RETURN' AND r.ev_enabled IN ('O', 'A') ORDER BY 1
        """;

    private const string Publications = """
        SELECT DISTINCT pg_catalog.format('publication %I sends it to subscribers: %I.%I', p.pubname, p.schemaname, p.tablename)
        FROM pg_catalog.pg_publication_tables p
        JOIN pg_catalog.pg_class c ON c.relname = p.tablename JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = p.schemaname
        WHERE c.oid = ANY ($1) ORDER BY 1
        """;

    private const string AllTables = "SELECT p.pubname::pg_catalog.text FROM pg_catalog.pg_publication p WHERE p.puballtables ORDER BY 1";

    private const string Subscribed =
        "SELECT r.srrelid::pg_catalog.regclass::pg_catalog.text FROM pg_catalog.pg_subscription_rel r WHERE r.srrelid = ANY ($1) ORDER BY 1";

    public static async ValueTask<RowEffects> Look(RowSelection selection, Patient patient, CancellationToken cancellationToken)
    {
        var touched = selection.Rows.GroupBy(row => row.Table).ToList();
        var oids = touched.Select(group => selection.Tables[group.Key].Oid).ToArray();
        // pg_trigger.tgtype: 8 DELETE, 16 UPDATE, 4 INSERT (catalog/pg_trigger.h).
        var events = selection.Rows.Select(row => row.Fate).Distinct().Aggregate(0, (bits, fate) => bits | fate switch
        {
            RowFate.Remove => 8,
            RowFate.Move => 4 | 8 | 16,
            _ => 16,
        });
        var warnings = new List<string>();
        foreach (var group in touched.Where(group => group.Any(row => !row.Accused)))
            warnings.Add($"{group.Count(row => !row.Accused)} rows of {selection.Tables[group.Key].Schema}.{selection.Tables[group.Key].Name} refer to them: "
                + (group.First().Fate == RowFate.Witness ? "the server sets their reference as declared; their old state is kept" : "they go along"));
        return await Look(oids, events, warnings, patient, cancellationToken);
    }

    /// <param name="oids">The tables whose rows change.</param>
    /// <param name="events">What happens to them, as pg_trigger.tgtype has it.</param>
    public static async ValueTask<RowEffects> Look(
        uint[] oids, int events, List<string> warnings, Patient patient, CancellationToken cancellationToken)
    {
        warnings.AddRange(await Texts(Triggers, patient, cancellationToken, oids, events));
        warnings.AddRange(await Texts(Publications, patient, cancellationToken, (object)oids));
        var subscribed = await Texts(Subscribed, patient, cancellationToken, (object)oids);
        var all = await Texts(AllTables, patient, cancellationToken);
        return new RowEffects(warnings,
            all.Count == 0 ? null : $"publication {all[0]} publishes every table, so schema kintsugi too: make sure that subscribers have that schema",
            subscribed.Count == 0 ? await CatalogGround.Doubt(oids, patient, cancellationToken)
                : $"{subscribed[0]} is fed by a subscription: repair its rows on the publisher");
    }

    private static ValueTask<IReadOnlyList<string>> Texts(
        string sql, Patient patient, CancellationToken cancellationToken, params object?[] parameters) =>
        patient.Session.Rows(sql, row => row.GetString(0), cancellationToken, parameters);
}
