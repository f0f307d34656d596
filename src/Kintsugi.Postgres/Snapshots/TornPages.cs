using System.Text.RegularExpressions;
using Kintsugi.Pages;
using Kintsugi.Postgres.Files.Reading;

namespace Kintsugi.Postgres.Snapshots;

/// <summary>
/// A page that the server was writing while we copied is half old, half new: its checksum fails in the copy although nothing is
/// wrong.
/// Such pages are read again; those that still fail are kept exactly as they are, and noted.
/// </summary>
internal sealed partial class TornPages(string path, Func<long, CancellationToken, ValueTask<ReadOnlyMemory<byte>>> readAgain)
{
    /// <summary>A write of one page takes microseconds: three looks are plenty.</summary>
    private const int Looks = 3;
    private const int MostNoted = 20;
    private const int BytesAtOnce = 1 << 20;

    private readonly Match place = Name().Match(path);

    /// <summary>
    /// The free space map is not WAL-logged and is zeroed on error when read (freespace.c, fsm_readbuf): a bad sum there says
    /// little.
    /// </summary>
    public bool Applies => place.Success && place.Groups["fork"].Value is "" or "_vm" or "_init";

    public async ValueTask<string?> Amend(FileStream copy, CancellationToken cancellationToken)
    {
        var segment = place.Groups["segment"] is { Success: true, Value: var digits } ? uint.Parse(digits) : 0;
        using var buffer = ReadBuffer.Rent(BytesAtOnce);
        var failing = new List<uint>();
        for (var offset = 0L; offset + PageFormat.Size <= copy.Length;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // Not awaited: it was written a moment ago, and lies in memory.
            var read = KernelReads.ReadPlainly(copy.SafeFileHandle, buffer.Bytes.Span, offset, have: 0) / PageFormat.Size;
            for (var i = 0; i < read; i++, offset += PageFormat.Size)
            {
                var block = segment * PageFormat.BlocksPerSegment + (uint)(offset / PageFormat.Size);
                if (!Whole(buffer.Bytes.Span.Slice(i * PageFormat.Size, PageFormat.Size), block) && !await Mend(copy, offset, block, cancellationToken))
                    failing.Add(block);
            }
            if (read == 0)
                break;
        }
        return failing.Count == 0
            ? null
            : $"kept exactly, with a wrong checksum: block {string.Join(", ", failing.Take(MostNoted))}"
                + (failing.Count > MostNoted ? $" and {failing.Count - MostNoted} more" : "");
    }

    private async ValueTask<bool> Mend(FileStream copy, long offset, uint block, CancellationToken cancellationToken)
    {
        for (var look = 0; look < Looks; look++)
        {
            var page = await readAgain(offset, cancellationToken);
            if (page.Length == PageFormat.Size && Whole(page.Span, block))
            {
                await RandomAccess.WriteAsync(copy.SafeFileHandle, page, offset, cancellationToken);
                return true;
            }
        }
        return false;
    }

    private static bool Whole(ReadOnlySpan<byte> page, uint block) =>
        PageChecksum.Matches(page, block) || PageHeader.IsAllZero(page);

    [GeneratedRegex(@"/\d+(?<fork>_[a-z]+)?(?:\.(?<segment>\d+))?$")]
    private static partial Regex Name();
}
