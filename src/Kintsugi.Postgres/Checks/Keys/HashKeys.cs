using Kintsugi.Pages;
using Kintsugi.Pages.Indexes;
using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Keys;

/// <summary>
/// A hash index against the hash codes of its rows, computed again by the operator class's own function. A row that is alive now and was written
/// before the moment has kept its place since, and VACUUM takes an old entry away before its place is used again: every page that is read after
/// the moment was asked for holds its entry, and no entry of a row before it.
/// </summary>
internal sealed class HashKeys(IPageView view, Located index, Relation table, IndexKey key, Portion portion, Patient patient)
{
    private const int PagesPerRead = 64;

    /// <summary>Rows that are held in memory at a time; at depth standard there is one such turn.</summary>
    private const int RowsPerTurn = 500_000;

    private readonly IndexPageContent content = new();

    public async ValueTask<Verdict> Run(CancellationToken cancellationToken)
    {
        if (key.Columns is not [{ Support: not null } column])
            return new Verdict.Unchecked("its operator class has no hash function in the catalog");
        if (await Buckets(cancellationToken) is { } misplaced)
            return misplaced;
        var turns = portion.Depth == Depth.Deep ? (int)Math.Max(1, Math.Ceiling(table.Rows / RowsPerTurn)) : 1;
        var share = portion.Depth == Depth.Deep ? 100 : Math.Clamp(RowsPerTurn * 100.0 / Math.Max(1, table.Rows), 0.01, 100);
        for (var turn = 0; turn < turns; turn++)
        {
            if (await view.Now(cancellationToken) is not { } moment)
                return new Verdict.Unchecked("the control file cannot be read, so it is not known how far the files are written");
            var codes = await Codes(column, moment, share, turns, turn, cancellationToken);
            var wrong = await Differing(codes, cancellationToken);
            if (wrong.Count > 0 && await StillThere(column, wrong, codes, cancellationToken) is { Count: > 0 } guilty)
                return IndexKeysCheck.Accuse(index.Relation, portion.Target, $"{guilty.Count} rows stand under a hash code that is not their value's: "
                    + string.Join(", ", guilty.Take(3).Select(it => $"{it.Tid} under {it.Code:X8} instead of {codes[it.Tid]:X8} on page {it.Page}")), guilty.Count);
        }
        return Verdict.Sound.Instance;
    }

    /// <summary>Each entry stands in the bucket of its code, by the masks of the metapage.</summary>
    private async ValueTask<Verdict?> Buckets(CancellationToken cancellationToken)
    {
        if (await view.Now(cancellationToken) is not { } moment)
            return null;
        var desk = new PageDesk(view, moment, checksums: false);
        if (await desk.Page(index, 0, cancellationToken) is not { } meta || !desk.IsExact(meta))
            return null;
        var masks = HashMasks.Read(meta);
        var splitting = false;
        var last = 0u;
        var suspects = new List<(long Page, uint Code, uint Bucket)>();
        var chains = new HashChains(moment);
        await Entries((page, block) =>
        {
            var own = HashPage.Read(page);
            chains.Add(block, own, page);
            // A bucket that is split, or not cleaned after it, holds entries of two.
            splitting |= (own.Flags & 0x70) != 0;
            if (PageHeader.Read(page).Lsn <= moment.Lsn)
                last = Math.Max(last, own.Bucket);
            if (PageHeader.Read(page).Lsn <= moment.Lsn)
                foreach (var entry in content.Rows.Where(_ => suspects.Count < 100))
                    if (masks.BucketOf(Code(page, entry)) != own.Bucket)
                        suspects.Add((block, Code(page, entry), own.Bucket));
        }, cancellationToken);
        if (splitting)
            return null;
        if (last > masks.MaxBucket)
            return IndexKeysCheck.Accuse(index.Relation, portion.Target,
                $"the metapage knows buckets up to {masks.MaxBucket}, but there is a page of bucket {last}: nobody looks there", null);
        if (chains.Lost() is { } lost)
            return IndexKeysCheck.Accuse(index.Relation, portion.Target,
                $"page {lost.Page} of bucket {lost.Bucket} has entries, but no chain from the bucket's first page leads to it: nobody looks there", null);
        if (suspects.Count == 0)
            return null;
        var first = suspects[0];
        return IndexKeysCheck.Accuse(index.Relation, portion.Target, $"{suspects.Count}{(suspects.Count >= 100 ? " or more" : "")} entries stand in a bucket "
            + $"where nobody looks for them: hash code {first.Code:X8} on page {first.Page} of bucket {first.Bucket} belongs to bucket {masks.BucketOf(first.Code)}", suspects.Count);
    }

    private async ValueTask<Dictionary<Tid, uint>> Codes(
        KeyColumn column, Moment moment, double share, int turns, int turn, CancellationToken cancellationToken)
    {
        var part = turns == 1 ? "true" : $"(ctid::pg_catalog.text::pg_catalog.point)[0]::pg_catalog.int8 % {turns} = {turn}";
        var percent = share.ToString("0.####", System.Globalization.CultureInfo.InvariantCulture);
        var codes = new Dictionary<Tid, uint>();
        await foreach (var (tid, xmin, code) in patient.Session.Stream(
            $"SELECT ctid::pg_catalog.text, xmin::pg_catalog.text, {Hash(column)} FROM ONLY {Quote.Name(table)} TABLESAMPLE SYSTEM ({percent}) REPEATABLE (0) "
            + $"WHERE {key.Where($"{column.Expression} IS NOT NULL", part)}",
            row => (Tid.Parse(row.GetString(0)), uint.Parse(row.GetString(1), System.Globalization.CultureInfo.InvariantCulture), (uint)row.GetInt32(2)),
            cancellationToken))
            if (!TransactionIds.IsNormal(xmin) || TransactionIds.Precedes(xmin, moment.EndedBefore))
                codes[tid] = code;
        return codes;
    }

    /// <summary>The function of the operator class; a column of a type that is only like its own is cast to it.</summary>
    private static string Hash(KeyColumn column) =>
        $"{column.Support}({column.Expression}{(column.AnyOfKind ? "" : $"::{column.Type}")})";

    private async ValueTask<List<(Tid Tid, uint Code, long Page)>> Differing(Dictionary<Tid, uint> codes, CancellationToken cancellationToken)
    {
        var wrong = new List<(Tid, uint, long)>();
        await Entries((page, block) =>
        {
            foreach (var entry in content.Rows)
                if (codes.TryGetValue(entry.Tid, out var code) && code != Code(page, entry) && wrong.Count < Suspicions.Most)
                    wrong.Add((entry.Tid, Code(page, entry), block));
        }, cancellationToken);
        return wrong;
    }

    /// <summary>Those whose row is still the same, so that nothing has taken its place meanwhile.</summary>
    private async ValueTask<IReadOnlyList<(Tid Tid, uint Code, long Page)>> StillThere(
        KeyColumn column, List<(Tid Tid, uint Code, long Page)> wrong, Dictionary<Tid, uint> codes, CancellationToken cancellationToken)
    {
        var now = (await patient.Session.Rows(
            $"SELECT ctid::pg_catalog.text, {Hash(column)} FROM ONLY {Quote.Name(table)} "
            + "WHERE " + key.Where("ctid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.tid[])", $"{column.Expression} IS NOT NULL"),
            row => (Tid: Tid.Parse(row.GetString(0)), Code: (uint)row.GetInt32(1)), cancellationToken,
            [wrong.Select(it => it.Tid.ToString()).ToArray()])).ToHashSet();
        return [.. wrong.Where(it => now.Contains((it.Tid, codes[it.Tid])))];
    }

    private static uint Code(ReadOnlySpan<byte> page, IndexEntry entry) =>
        System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(page[(entry.At + 8)..]);

    private delegate void Visit(ReadOnlySpan<byte> page, long block);

    private async ValueTask Entries(Visit visit, CancellationToken cancellationToken)
    {
        using var buffer = ReadBuffer.Rent(PagesPerRead * PageFormat.Size);
        var blocks = await view.Blocks(index, cancellationToken);
        for (var block = 0L; block < blocks;)
        {
            var read = await view.Read(index, block, buffer.Bytes, cancellationToken);
            if (read == 0)
                return;
            for (var i = 0; i < read && block < blocks; i++, block++)
            {
                var page = buffer.Bytes.Span.Slice(i * PageFormat.Size, PageFormat.Size);
                // A torn page is met again by the next look.
                if (IndexPages.Read(IndexKind.Hash, page, block, patient.Can.DataChecksums != false && !view.IsLocked, content) is null
                    && content.Role == IndexPageRole.Leaf)
                    visit(page, block);
            }
        }
    }
}

/// <summary>What tells a hash code's bucket (HashMetaPageData and _hash_hashkey2bucket, hash.h and hashutil.c).</summary>
internal readonly record struct HashMasks(uint MaxBucket, uint High, uint Low)
{
    public static HashMasks Read(ReadOnlySpan<byte> meta)
    {
        var at = PageFormat.HeaderSize + 24;
        return new(U32(meta, at), U32(meta, at + 4), U32(meta, at + 8));
    }

    public uint BucketOf(uint code) => (code & High) is var bucket && bucket > MaxBucket ? bucket & Low : bucket;

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);
}
