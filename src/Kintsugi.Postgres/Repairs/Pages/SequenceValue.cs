using System.Globalization;
using Kintsugi.Pages.Files;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Checks.Values;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Pages;

/// <summary>What a sequence goes on with whose page is damaged.</summary>
/// <param name="Because">Where it comes from, one sentence without its end.</param>
/// <param name="Approval">Why a person has to look at it first, or null.</param>
internal sealed record SequenceValue(long Last, bool IsCalled, string Because, string? Approval)
{
    /// <summary>A jump over more than this share of the range is a person's decision: one wild value would burn it.</summary>
    private const double MostOfRange = 0.1;

    public static string From(SequenceUse use) => $"{(use.Table.Kind == 'p' ? "" : "ONLY ")}{Quote.Name(use.Table)}";

    public static async ValueTask<SequenceValue> Of(SequenceFacts facts, byte[] page, Patient patient, CancellationToken cancellationToken)
    {
        var used = new List<long>();
        foreach (var use in facts.Uses)
            used.AddRange(await Used(facts, use, patient, cancellationToken));
        var up = facts.Increment > 0;
        var said = (await Served(facts, patient, cancellationToken) ?? SequencePage.Remains(page)) is { } remains
            && remains.LastValue >= facts.Min && remains.LastValue <= facts.Max ? remains : (SequencePage?)null;
        var columns = string.Join(", ", facts.Uses.Select(use => $"{use.Table.Schema}.{use.Table.Name}.{use.Column}"));
        if (used.Count == 0)
            return said is { } alone
                ? new SequenceValue(Ahead(facts, alone.LastValue), true, $"The damaged page still reads {Text(alone.LastValue)}, and it goes on {SequencePage.MostLogged} values after that",
                    $"{(columns.Length > 0 ? $"{columns} is empty" : "no column takes its values from it")}, so that nothing confirms what the damaged page says ({Text(alone.LastValue)})")
                : columns.Length > 0
                    ? new SequenceValue(facts.Start, false, $"{columns} is empty, and it begins anew with {Text(facts.Start)}", $"{columns} is empty: which values were given before is not known")
                    : new SequenceValue(up ? facts.Max : facts.Min, true,
                        $"No column takes its values from it, and its page says nothing any more. It is left at its end, so that {(facts.Cycle ? "it begins its next round" : "nextval fails")} "
                        + $"until you say where to go on: SELECT setval('{Quote.Name(facts.Relation).Replace("'", "''", StringComparison.Ordinal)}', VALUE)",
                        "no column takes its values from it, so that its last value is not known");
        var farthest = up ? used.Max() : used.Min();
        var known = said is { } told && (up ? told.LastValue > farthest : told.LastValue < farthest) ? told.LastValue : farthest;
        var why = known == farthest ? $"{columns} holds values up to {Text(farthest)}" : $"The damaged page still reads {Text(known)}, and {columns} holds values up to {Text(farthest)}";
        return new SequenceValue(Ahead(facts, known), true, $"{why}, and it goes on {SequencePage.MostLogged} values after that",
            await Doubt(facts, farthest, known, patient, cancellationToken));
    }

    /// <summary>The server may have the page in its memory still, and good; one that it reads anew has to pass its checksum.</summary>
    private static async ValueTask<SequencePage?> Served(SequenceFacts facts, Patient patient, CancellationToken cancellationToken)
    {
        if (patient.Can.DataChecksums != true)
            return null;
        try
        {
            return await patient.Session.Rows($"SELECT q.last_value, q.log_cnt, q.is_called FROM {Quote.Name(facts.Relation)} q",
                row => new SequencePage(row.GetInt64(0), row.GetInt64(1), row.GetBoolean(2)), cancellationToken) is [var only] ? only : null;
        }
        catch (PatientException problem) when (SqlStates.MeansDamage(problem))
        {
            return null;
        }
    }

    /// <summary>As after a crash of the server, which goes on behind all that is in the WAL: transactions that took some may not have committed yet.</summary>
    private static long Ahead(SequenceFacts facts, long last) => (long)Int128.Clamp((Int128)last + (SequencePage.MostLogged * (Int128)facts.Increment), facts.Min, facts.Max);

    private static async ValueTask<string?> Doubt(SequenceFacts facts, long used, long known, Patient patient, CancellationToken cancellationToken)
    {
        var cache = (await patient.Session.Rows("SELECT s.seqcache FROM pg_catalog.pg_sequence s WHERE s.seqrelid = $1", row => row.GetInt64(0), cancellationToken, facts.Relation.Oid))[0];
        var skipped = Math.Abs((double)known - used) / ((double)facts.Max - facts.Min);
        return facts.Cycle ? "it cycles, so that the largest value in use need not be the last one given"
            : facts.Increment < 0 ? "it counts down"
            : facts.Uses.Count > 1 ? "several columns take their values from it"
            : facts.Uses[0].Subscribed ? "its table is fed by a subscription, which does not carry sequences"
            : cache > 1 ? $"sessions take {cache} values at once (CACHE) and may hold some that are in no row yet"
            : skipped > MostOfRange ? $"{skipped:P0} of its range would be skipped: the damaged page may say too much"
            : null;
    }

    /// <summary>By the heap alone, and as the planner likes: an index may know of a row that the heap has lost, and the other way round.</summary>
    private static async ValueTask<IReadOnlyList<long>> Used(SequenceFacts facts, SequenceUse use, Patient patient, CancellationToken cancellationToken)
    {
        var column = Quote.Identifier(use.Column);
        var sql = $"SELECT pg_catalog.{(facts.Increment > 0 ? "max" : "min")}({column})::pg_catalog.int8 FROM {From(use)} WHERE {column} BETWEEN {Text(facts.Min)} AND {Text(facts.Max)}";
        var found = (await patient.Session.Rows(sql, row => row.IsDBNull(0) ? (long?)null : row.GetInt64(0), cancellationToken)).ToList();
        found.AddRange(await patient.Session.InTransaction(Evidence.Settings(null),
            session => session.Rows(sql, row => row.IsDBNull(0) ? (long?)null : row.GetInt64(0), cancellationToken), cancellationToken));
        return [.. found.OfType<long>()];
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
