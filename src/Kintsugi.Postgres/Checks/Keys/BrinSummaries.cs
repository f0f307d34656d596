using Kintsugi.Pages;
using Kintsugi.Pages.Indexes;
using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Keys;

/// <summary>
/// Every row against the summary of its block range, as pageinspect reads it from the buffers: a summary that leaves a row out hides it from
/// searches. A row's summary is widened before its transaction commits, so a row that was seen before the pages were read must be inside.
/// Bloom summaries can only be asked: their rows ask the index for themselves.
/// </summary>
internal sealed class BrinSummaries(BufferView view, Located index, Relation table, IndexKey key, Portion portion, Patient patient)
{
    private const int Most = 1000;
    private const string Items = "brin_page_items(bytea,regclass)";

    public async ValueTask<Verdict> Run(CancellationToken cancellationToken)
    {
        if (patient.Can.Function("pageinspect", Items) is not { } function)
            return new Verdict.Unchecked($"pageinspect has no {Items} for this role: CREATE EXTENSION pageinspect and connect as a superuser");
        var (ranges, wrong) = await new BrinRanges(view, index, function, patient).Read(cancellationToken);
        if (wrong is not null)
            return IndexKeysCheck.Accuse(index.Relation, portion.Target, wrong, null);
        string? doubt = null;
        for (var column = 0; column < key.Columns.Count; column++)
        {
            if (BrinMethod.Of(key.Columns[column]) is not { } method)
            {
                var asked = await new SelfProbe(index.Relation, table, key with { Columns = [key.Columns[column]] }, portion, patient).Run(cancellationToken);
                if (asked is Verdict.Damaged)
                    return asked;
                doubt ??= asked is Verdict.Sound ? null : asked.Why;
                continue;
            }
            if (!method.WithoutBoundsIsSound && ranges.Summaries.Any(it => it.Column == column + 1 && !method.CanRead(it)))
                doubt ??= "some summaries hold text in which their two bounds cannot be told apart";
            var outside = await Outside(method, column, ranges, cancellationToken);
            if (outside.Count > 0)
            {
                // The summaries as they are now, after those rows were seen.
                (ranges, _) = await new BrinRanges(view, index, function, patient).Read(cancellationToken);
                outside = [.. outside.Intersect(await Outside(method, column, ranges, cancellationToken))];
            }
            if (outside.Count > 0)
                return Guilty(outside, ranges);
        }
        return doubt is null ? Verdict.Sound.Instance : new Verdict.Unchecked(doubt);
    }

    private Verdict Guilty(IReadOnlyList<(string Ctid, long Range)> outside, BrinContent ranges)
    {
        var blocks = outside.Select(row => row.Range).Distinct().Order().ToList();
        return IndexKeysCheck.Accuse(index.Relation, portion.Target,
            $"{outside.Count}{(outside.Count >= Most ? " or more" : "")} rows lie outside the summary of their block range, so that searches skip them: "
            + $"{string.Join(", ", outside.Take(3).Select(row => row.Ctid))} in {(blocks.Count == 1 ? "the range" : $"{blocks.Count} ranges, the first")} "
            + $"of blocks {blocks[0] * ranges.PagesPerRange} to {((blocks[0] + 1) * ranges.PagesPerRange) - 1}", outside.Count);
    }

    private async ValueTask<IReadOnlyList<(string Ctid, long Range)>> Outside(
        BrinMethod method, int column, BrinContent content, CancellationToken cancellationToken)
    {
        var summaries = content.Summaries.Where(it => it.Column == column + 1 && !it.Placeholder && method.CanRead(it)).ToList();
        if (summaries.Count == 0)
            return [];
        var pieces = summaries.Where(it => it.Value is not null).SelectMany(it => method.Pieces(it.Value!).Select(piece => (it.Range, piece.Low, piece.High)))
            .ToList();
        var value = key.Columns[column].Expression;
        var range = $"((t.ctid::pg_catalog.text::pg_catalog.point)[0]::pg_catalog.int8 / {content.PagesPerRange})";
        var sql = $"""
            SELECT t.ctid::pg_catalog.text, g.r FROM (SELECT ctid, {value} AS v, {range} AS r FROM ONLY {Quote.Name(table)} t WHERE {key.Where()}) t
            JOIN ROWS FROM (pg_catalog.unnest($1::pg_catalog.int8[]), pg_catalog.unnest($2::pg_catalog.bool[]), pg_catalog.unnest($3::pg_catalog.bool[]),
                pg_catalog.unnest($4::pg_catalog.bool[])) g(r, allnulls, hasnulls, empty) ON g.r = t.r
            WHERE g.empty OR (t.v IS NULL AND NOT g.allnulls AND NOT g.hasnulls) OR (t.v IS NOT NULL AND g.allnulls)
               OR (t.v IS NOT NULL AND NOT EXISTS (SELECT FROM ROWS FROM (pg_catalog.unnest($5::pg_catalog.int8[]),
                   pg_catalog.unnest($6::pg_catalog.text[]), pg_catalog.unnest($7::pg_catalog.text[])) s(r, low, high)
                   WHERE s.r = g.r AND {method.Inside("t.v", "s.low", "s.high")}))
            ORDER BY g.r, 1 LIMIT {Most}
            """;
        return await patient.Session.Rows(sql, row => (row.GetString(0), row.GetInt64(1)), cancellationToken,
            summaries.Select(it => it.Range).ToArray(), summaries.Select(it => it.AllNulls).ToArray(), summaries.Select(it => it.HasNulls).ToArray(),
            summaries.Select(it => it.Empty).ToArray(), pieces.Select(it => it.Range).ToArray(), pieces.Select(it => it.Low).ToArray(),
            pieces.Select(it => it.High).ToArray());
    }
}
