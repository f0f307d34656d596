using System.Numerics;
using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Pages.Indexes;
using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Files.Reading;

namespace Kintsugi.Postgres.Checks.Crossing;

/// <summary>One table against all of its btrees: the table is read once, then each index once, stretch by stretch.</summary>
internal sealed class TableCross(
    CrossPortion portion, Located heap, IReadOnlyList<IndexSide> indexes, DataDirectory directory, Patient patient)
{
    private readonly bool checksums = patient.Can.DataChecksums != false;
    private readonly Suspicions suspicions = new();
    private readonly List<string> doubts = [];
    private readonly List<Disagreements> disagreements = [];
    private readonly HeapSide rows = new(portion.Columns!, new TransactionLog(directory.Path, directory.Control))
    {
        Needed = indexes.SelectMany(index => index.Shape.Parts).Max(part => part.Column) + 1,
    };

    private readonly IndexSide[] whole = [.. indexes.Where(index => !index.IsPartial)];
    private readonly Dictionary<IndexSide, long> blocks = [];
    private long end;
    private int shift;

    public async ValueTask<Verdict> Run(CancellationToken cancellationToken)
    {
        using var bytes = new LocalBytes(directory.Path, patient.Pace);
        end = (await ForkExtent.Measure(bytes, heap.Path, Forks.Main, cancellationToken)).Blocks;
        foreach (var index in indexes)
            blocks[index] = (await ForkExtent.Measure(bytes, index.Index.Path, Forks.Main, cancellationToken)).Blocks;
        shift = Math.Max(0, BitOperations.Log2((ulong)Math.Max(end, 1)) + 1 - BitOperations.Log2(IndexSide.Buckets));
        var isFirst = true;
        for (var first = 0L; isFirst || first < end; isFirst = false)
            first = await Stretch(first, cancellationToken);
        return await new CrossVerdict(portion, heap, indexes, patient, suspicions, disagreements, rows, doubts, end)
            .Reach(Reread, cancellationToken);
    }

    private async ValueTask<long> Stretch(long first, CancellationToken cancellationToken)
    {
        foreach (var index in indexes)
            index.BeginStretch();
        var map = new PlaceMap(first);
        using (var stream = Open(heap.Path))
            for (var block = first; block < end && !map.IsFull; block++)
                await Take(stream, map, block, cancellationToken);
        foreach (var index in indexes.Where(index => !index.IsBroken))
        {
            var walk = new TreeWalk(index, () => Open(index.Index.Path), blocks[index], checksums,
                new EntrySide(index, map, shift, end, suspicions), suspicions);
            await (first == 0 ? walk.Run(cancellationToken) : walk.Scan(cancellationToken));
            if (!index.IsBroken && !index.IsPartial)
                await Compare(index, map, cancellationToken);
        }
        return map.End;
    }

    private async ValueTask Take(PageStream stream, PlaceMap map, long block, CancellationToken cancellationToken)
    {
        if (await Page(stream, block, cancellationToken) is not { } page)
        {
            map.AddUnknown();
            return;
        }
        if (PageHeader.Read(page.Span).IsNew)
        {
            map.AddEmpty();
            return;
        }
        var bucket = (int)((block - map.First) >> shift);
        map.Add(rows.Read(page.Span, (uint)block, row =>
        {
            var isDecided = true;
            foreach (var index in whole)
            {
                isDecided &= index.TryDigestRow(row.Tuple, row.Columns, row.Root, out var digest);
                index.Expect(bucket, digest);
            }
            return isDecided;
        }));
    }

    /// <returns>Null, and a doubt, for a page that cannot be believed.</returns>
    private async ValueTask<ReadOnlyMemory<byte>?> Page(PageStream stream, long block, CancellationToken cancellationToken)
    {
        var page = await stream.Read(block, cancellationToken);
        if (page.IsEmpty)
            return null;
        var header = PageHeader.Read(page.Span);
        if (header.IsNew ? PageHeader.IsAllZero(page.Span)
            : header.IsPossible && header.Special == PageFormat.Size && (!checksums || PageChecksum.Matches(page.Span, (uint)block)))
            return page;
        const int most = 3;
        if (doubts.Count < most)
            doubts.Add($"block {block} of the table cannot be believed (see the check pages), and what leads there was left out");
        return null;
    }

    /// <summary>Where sums differ, the rows and entries behind them are read once more and named.</summary>
    private async ValueTask Compare(IndexSide index, PlaceMap map, CancellationToken cancellationToken)
    {
        if (!Enumerable.Range(0, IndexSide.Buckets).Any(bucket => index.SumOf(bucket) != 0))
            return;
        var found = new Disagreements(index);
        using (var stream = Open(heap.Path))
            for (var bucket = 0; bucket < IndexSide.Buckets && found.HasRoom; bucket++)
                if (index.SumOf(bucket) != 0)
                    await Collect(found, bucket, stream, map, cancellationToken);
        var entries = new EntrySide(index, map, shift, end, suspicions) { OnMet = found.Meet };
        await new TreeWalk(index, () => Open(index.Index.Path), blocks[index], checksums, entries, suspicions).Scan(cancellationToken);
        disagreements.Add(found);
    }

    private async ValueTask Collect(Disagreements found, int bucket, PageStream stream, PlaceMap map, CancellationToken cancellationToken)
    {
        found.AddBucket(bucket);
        var first = map.First + ((long)bucket << shift);
        for (var block = first; block < Math.Min(map.End, first + (1L << shift)); block++)
            if (await Page(stream, block, cancellationToken) is { } page && !PageHeader.Read(page.Span).IsNew)
                rows.Read(page.Span, (uint)block, row =>
                {
                    var isDecided = found.Index.TryDigestRow(row.Tuple, row.Columns, row.Root, out var digest);
                    found.Expect(row.Root, digest);
                    return isDecided;
                });
    }

    private async ValueTask<byte[]?> Reread(long block, CancellationToken cancellationToken)
    {
        using var stream = Open(heap.Path);
        return block >= end ? null : (await stream.Read(block, cancellationToken)).ToArray();
    }

    private PageStream Open(string path) => new(new LocalBytes(directory.Path, patient.Pace), path);
}
