using System.Text.RegularExpressions;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Keys;

/// <summary>
/// Each row asks the index for itself with a condition that its own value fulfils, and must come back. Only the index can answer:
/// other plans are off by planner settings, EXPLAIN shows that this very index is used, and rows come from a sample scan, which
/// reads no index. Each key is asked for once, however many rows have it. Question and answer are one statement under one MVCC snapshot, so that nothing can happen between them.
/// </summary>
internal sealed partial class SelfProbe(Relation index, Relation table, IndexKey key, Portion portion, Patient patient)
{
    /// <summary>
    /// Rows that are asked at depth standard: the same at every run, so that a finding can be confirmed and acquitted.
    /// A search in a BRIN index reads its whole map and a range of the table.
    /// </summary>
    private readonly int sampleRows = index.AccessMethod == "brin" ? 2000 : 20_000;

    private const int Most = 1000;

    private static readonly TimeSpan StandardLimit = TimeSpan.FromMinutes(2), DeepLimit = TimeSpan.FromMinutes(15);

    /// <summary>Each row asks for itself, because equal keys cannot be told from their bytes: a search for each, so of fewer rows.</summary>
    private const int ApartRows = 2000;

    /// <summary>The type has no binary output, or a value is no text of the client's encoding (SQL_ASCII).</summary>
    private static bool HasNoBytes(PatientException problem) => problem.SqlState is "42883" or "22021" or "22P05";

    private bool apart;

    /// <summary>No nested loop but the one that no other join can replace: the planner takes keys and their places for a handful of rows.</summary>
    private const string IndexAlone =
        "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_tidscan = off; SET LOCAL enable_nestloop = off; "
        + "SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL gin_fuzzy_search_limit = 0; ";

    private const string ByBitmap = IndexAlone + "SET LOCAL enable_indexscan = off";

    /// <summary>For access methods that can do both: GIN and BRIN cannot, and so stand back.</summary>
    private const string ByScan = IndexAlone + "SET LOCAL enable_bitmapscan = off";

    public async ValueTask<Verdict> Run(CancellationToken cancellationToken)
    {
        var conditions = key.Columns.Select(SelfCondition.Of).ToList();
        if (conditions.FindIndex(it => it.Count == 0) is >= 0 and var at)
            return new Verdict.NotApplicable($"operator family {key.Columns[at].Family} has no operator under which a value finds itself");
        if (await WalkThroughGin(cancellationToken) is { } broken)
            return broken;
        try
        {
            return await Probe(conditions, cancellationToken);
        }
        catch (PatientException problem) when (HasNoBytes(problem))
        {
            apart = true;
            return await Probe(conditions, cancellationToken);
        }
    }

    private async ValueTask<Verdict> Probe(List<IReadOnlyList<Func<string, string, string>>> conditions, CancellationToken cancellationToken)
    {
        try
        {
            var rival = "";
            foreach (var settings in index.AccessMethod is "gist" or "spgist" ? new[] { ByBitmap, ByScan } : [ByBitmap])
                for (var n = 0; n < conditions.Max(it => it.Count); n++)
                {
                    var question = Question([.. conditions.Select(it => it[Math.Min(n, it.Count - 1)])]);
                    var (lost, other) = await Ask(settings, question, cancellationToken);
                    if (other is null)
                        return await Judge(lost, settings, question, cancellationToken);
                    rival = other;
                }
            return new Verdict.Unchecked(rival.Length == 0 ? "the planner does not search it, whatever else is forbidden: its keys cannot be asked for here"
                : $"the planner chooses {rival} for the same question: this index's keys can only be asked for on a copy without that one");
        }
        catch (PatientException problem) when (problem.SqlState == SqlStates.QueryCanceled)
        {
            return new Verdict.Unchecked("asking the index for its rows took longer than the time limit: 2 minutes, at depth deep 15");
        }
        catch (PatientException problem) when (SqlStates.MeansDamage(problem))
        {
            return await Dropped.Is(index, patient, cancellationToken) ? Dropped.Meanwhile
                : IndexKeysCheck.Accuse(index, portion.Target, $"a search in it fails: {problem.Message}", null, problem.SqlState);
        }
    }

    private async ValueTask<Verdict> Judge(IReadOnlyList<string> lost, string settings, string question, CancellationToken cancellationToken)
    {
        // A second time: nothing transient explains the same row twice.
        var guilty = lost.Count == 0 ? [] : lost.Intersect((await Ask(settings, question, cancellationToken)).Lost).ToList();
        return guilty.Count == 0 ? Verdict.Sound.Instance
            : IndexKeysCheck.Accuse(index, portion.Target, $"{guilty.Count}{(guilty.Count >= Most ? " or more" : "")} rows are not found "
                + $"under their own value: {string.Join(", ", guilty.Take(5))}", guilty.Count);
    }

    /// <summary>PostgreSQL 18 can walk through a GIN index: order within and between pages.</summary>
    private async ValueTask<Verdict?> WalkThroughGin(CancellationToken cancellationToken)
    {
        if (index.AccessMethod != "gin" || patient.Can.Function("amcheck", "gin_index_check(regclass)") is not { } call)
            return null;
        try
        {
            await patient.Session.Rows($"SELECT {call}($1::pg_catalog.regclass)", _ => 0, cancellationToken, index.Oid);
            return null;
        }
        catch (PatientException problem) when (problem.SqlState is SqlStates.DataCorrupted or SqlStates.IndexCorrupted)
        {
            return IndexKeysCheck.Accuse(index, portion.Target, problem.Message, null, problem.SqlState);
        }
    }

    private string Question(IReadOnlyList<Func<string, string, string>> conditions)
    {
        var most = apart ? ApartRows : sampleRows;
        var share = portion.Depth == Depth.Deep ? 100 : Math.Clamp(most * 100.0 / Math.Max(1, table.Rows), 0.001, 100);
        var own = key.Columns.Select(column => column.Expression).ToList();
        var asked = own.Select(value => $"{value} IS NOT NULL").Concat(key.Columns.Select(SelfCondition.Telling).OfType<string>())
            .Concat(own.Select((value, i) => conditions[i](value, value)));
        var found = own.Select((value, i) => conditions[i](value, $"k._k{i + 1}"));
        var names = string.Join(", ", own.Select((_, i) => $"_k{i + 1}"));
        var name = Quote.Name(table);
        var percent = share.ToString("0.####", System.Globalization.CultureInfo.InvariantCulture);
        // Rows of the same key, to the byte, are found by one search: asked row by row, a key that most rows have would cost their number squared.
        // MATERIALIZED keeps the planner from pulling the sample into the question, where an index could take its place.
        return $"WITH s AS MATERIALIZED (SELECT ctid AS _c, {string.Join(", ", own.Select((value, i) => $"{value} AS _k{i + 1}"))} "
            + $"FROM ONLY {name} TABLESAMPLE SYSTEM ({percent}) REPEATABLE (0) WHERE {key.Where(asked)}"
            + $"{(portion.Depth == Depth.Deep ? "" : $" LIMIT {most}")}), "
            + $"h AS MATERIALIZED (SELECT s.*, {(apart ? "_c::pg_catalog.text" : $"pg_catalog.md5(pg_catalog.record_send(ROW({names})))")} AS _h FROM s), "
            + "k AS MATERIALIZED (SELECT DISTINCT ON (_h) * FROM h), "
            + "c AS MATERIALIZED (SELECT _h, pg_catalog.array_agg(_c) AS _cs FROM h GROUP BY _h) "
            + "SELECT l::pg_catalog.text FROM k JOIN c ON c._h OPERATOR(pg_catalog.=) k._h CROSS JOIN LATERAL "
            + $"(SELECT pg_catalog.unnest(c._cs) EXCEPT SELECT x.ctid FROM ONLY {name} x WHERE {key.Where(found)}) AS lost(l) LIMIT {Most}";
    }

    /// <returns>Rows that did not find themselves; or the index that the planner chose instead, empty where it chose none.</returns>
    private async ValueTask<(IReadOnlyList<string> Lost, string? Rival)> Ask(string settings, string question, CancellationToken cancellationToken)
    {
        return await patient.Session.InTransaction<(IReadOnlyList<string>, string?)>(settings, portion.Depth == Depth.Deep ? DeepLimit : StandardLimit, async session =>
        {
            var plan = string.Concat(await session.Rows($"EXPLAIN (FORMAT JSON, COSTS OFF) {question}", row => row.GetString(0), cancellationToken));
            var used = IndexNames().Matches(plan).Select(match => match.Groups[1].Value).Distinct().ToList();
            return used is [var only] && only == index.Name.Replace("\"", "\\\"", StringComparison.Ordinal)
                ? (await session.Rows(question, row => row.GetString(0), cancellationToken), null)
                : ([], used.FirstOrDefault() ?? "");
        }, cancellationToken);
    }

    [GeneratedRegex("\"Index Name\": \"((?:[^\"\\\\]|\\\\.)*)\"")]
    private static partial Regex IndexNames();
}
