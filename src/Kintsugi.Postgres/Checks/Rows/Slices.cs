using System.Globalization;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Rows;

/// <summary>A range of a table's blocks that one statement reads.</summary>
/// <param name="Condition">SQL for after WHERE, beginning with AND; empty for the whole table.</param>
/// <param name="Bytes">What it reads, for the rate.</param>
internal sealed record Slice(string Condition, long Bytes)
{
    /// <summary>The same where nothing stands before it.</summary>
    public string Where => Condition.Length == 0 ? "" : " WHERE" + Condition[" AND".Length..];
}

/// <summary>
/// Cuts a table into ranges of blocks, so that no statement reads for long: neither an MVCC snapshot lives too long, nor a rate is exceeded in
/// bursts, nor a time limit missed.
/// </summary>
internal static class Slices
{
    public const int BlockSize = 8192;

    /// <summary>16 GiB of heap in one statement: its snapshot must end within 15 minutes.</summary>
    private const long MostBlocks = 2_097_152;

    /// <summary>Statements of less than 8 MB cost more than they spare.</summary>
    private const long FewestBlocks = 1024;

    /// <param name="beside">Blocks that every statement reads along with its slice: the slices are not smaller than that.</param>
    public static async ValueTask<IReadOnlyList<Slice>> Of(Relation table, long beside, Patient patient, CancellationToken cancellationToken)
    {
        // Before 14 each would read the whole table: there are no TID range scans.
        var blocks = patient.Can.Major < 14 ? 0 : (await patient.Session.Rows(
            "SELECT coalesce(pg_catalog.pg_relation_size($1::pg_catalog.regclass, 'main'), 0) / 8192", row => row.GetInt64(0), cancellationToken, table.Oid))[0];
        var step = Math.Min(MostBlocks, Math.Max(patient.Pace.BytesAtOnce / BlockSize, Math.Max(beside, FewestBlocks)));
        if (blocks <= step)
            return [new Slice("", (Math.Max(table.Pages, blocks) + beside) * BlockSize)];
        var slices = new List<Slice>();
        var row = Quote.Identifier(table.Name);
        for (var first = 0L; first < blocks; first += step)
        {
            // The last one is open: what was added meanwhile belongs to it.
            var end = first + step < blocks ? $" AND {row}.ctid < {Tid(first + step)}" : "";
            slices.Add(new Slice($" AND {row}.ctid >= {Tid(first)}{end}", (Math.Min(step, blocks - first) + beside) * BlockSize));
        }
        return slices;
    }

    private static string Tid(long block) => $"'({block.ToString(CultureInfo.InvariantCulture)},0)'::pg_catalog.tid";
}
