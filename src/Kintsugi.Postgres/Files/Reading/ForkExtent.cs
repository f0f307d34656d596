using Kintsugi.Pages;

namespace Kintsugi.Postgres.Files.Reading;

/// <summary>The segment files of one fork, as long as they are at this moment.</summary>
/// <param name="Lengths">Bytes of each segment; -1 for one that is missing although a later one has data.</param>
internal sealed record ForkExtent(string Fork, IReadOnlyList<long> Lengths)
{
    /// <summary>Missing segments that are looked past: one lost file must not hide those behind it.</summary>
    private const int LookAhead = 1;

    public bool Exists => Lengths.Count > 0 && Lengths[0] >= 0;

    /// <summary>Blocks as the server counts them: up to the first segment that is not full (mdnblocks in md.c).</summary>
    public long Blocks
    {
        get
        {
            var blocks = 0L;
            foreach (var length in Lengths)
            {
                blocks += Math.Max(0, length) / PageFormat.Size;
                if (length < Forks.SegmentBytes)
                    break;
            }
            return blocks;
        }
    }

    /// <summary>Blocks on disk whether the server would find them or not.</summary>
    public long BlocksOnDisk => Lengths.Count == 0 ? 0
        : ((Lengths.Count - 1) * (long)PageFormat.BlocksPerSegment) + (Math.Max(0, Lengths[^1]) / PageFormat.Size);

    public static async ValueTask<ForkExtent> Measure(IByteSource bytes, string path, string fork,
        CancellationToken cancellationToken)
    {
        var lengths = new List<long>();
        var absent = 0;
        for (var segment = 0; absent <= LookAhead; segment++)
        {
            var length = await bytes.Length(Forks.File(path, fork, segment), cancellationToken);
            absent = length < 0 ? absent + 1 : 0;
            lengths.Add(length);
            // A fork that does not exist at all is the common case; a main fork without its first file is looked past.
            if (length < 0 && segment == 0 && fork != Forks.Main)
                break;
        }
        // What truncation leaves behind are empty files: they are no part of the relation (mdtruncate in md.c).
        while (lengths.Count > 1 && lengths[^1] <= 0)
            lengths.RemoveAt(lengths.Count - 1);
        return new ForkExtent(fork, lengths is [-1] ? [] : lengths);
    }
}
