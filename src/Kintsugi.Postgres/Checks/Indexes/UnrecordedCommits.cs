using System.Globalization;
using Kintsugi.Pages;
using Kintsugi.Pages.Files;

namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>
/// Transactions that tuples say are committed and pg_xact does not know: the log has lost them, as a page of zeros does, and rows without a hint are
/// gone for every reader. One finding for the table: the log is damaged, not its tuples.
/// </summary>
internal sealed class UnrecordedCommits
{
    private const int MostAsked = 1000;

    private readonly Dictionary<uint, (long Block, int Item)> seen = [];
    private long tuples;

    /// <summary>Takes those out that are about the log.</summary>
    public IEnumerable<Flaw> Keep(long block, IReadOnlyList<Flaw> flaws)
    {
        foreach (var flaw in flaws.Where(flaw => flaw.Kind == FlawKind.CommittedUnrecorded))
        {
            tuples++;
            seen.TryAdd((uint)flaw.Actual, (block, flaw.Item));
        }
        return flaws.Where(flaw => flaw.Kind != FlawKind.CommittedUnrecorded);
    }

    /// <summary>The file may be behind the server's memory (a prepared transaction that was committed since): where it can be asked, it decides.</summary>
    public async ValueTask<Finding?> Judge(Target target, IReadSession? session, CancellationToken cancellationToken)
    {
        if (seen.Count == 0)
            return null;
        var lost = seen.Keys.Order().Take(MostAsked).ToList();
        if (session is not null)
            lost = [.. await session.Rows(
                "SELECT x::pg_catalog.text FROM pg_catalog.unnest($1::pg_catalog.text[]) x, (SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())"
                + "::pg_catalog.text::pg_catalog.numeric AS n) now, LATERAL (SELECT pg_catalog.trunc(now.n / 4294967296) * 4294967296 + x::pg_catalog.numeric AS f) full_id "
                + "WHERE pg_catalog.pg_xact_status((CASE WHEN f < now.n THEN f ELSE f - 4294967296 END)::pg_catalog.text::pg_catalog.xid8) <> 'committed'",
                row => uint.Parse(row.GetString(0), CultureInfo.InvariantCulture), cancellationToken,
                [lost.Select(xid => xid.ToString(CultureInfo.InvariantCulture)).ToArray()])];
        if (lost.Count == 0)
            return null;
        var (block, item) = seen[lost[0]];
        var files = lost.Select(xid => $"pg_xact/{CommitLog.PlaceOf(xid).FileName}").Distinct().ToList();
        return new Finding(Faults.TransactionStatusMissing, target with { Fork = "main" },
            $"{tuples} tuples say that their transactions ({string.Join(", ", lost.Take(5))}{(lost.Count > 5 ? " …" : "")}) committed, but {files[0]} tells "
            + $"of them as never ended; the first is item {item} of block {block}")
        {
            Rows = tuples,
            Hint = "rows of these transactions without a hint are gone for every reader, and VACUUM would take them for good: stop autovacuum, save the files "
                + $"(kintsugi snapshots create), and put {string.Join(", ", files)} back from a backup or a standby",
            Facts = new Dictionary<string, string> { ["cause"] = files[0], ["story"] = $"{files[0]} has lost how transactions ended", ["path"] = files[0] },
        };
    }
}
