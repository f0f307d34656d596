using Kintsugi.Pages;
using Kintsugi.Pages.Indexes;

namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>Whether a btree has a page whose split or deletion was interrupted: legal, and what amcheck's known false alarms are about.</summary>
internal static class InterruptedPages
{
    // nbtree.h: BTP_HALF_DEAD and BTP_INCOMPLETE_SPLIT.
    private const int Flags = 0x10 | 0x80;
    private const int PagesPerRead = 64;

    /// <returns>False only where every page, as the server has it now, is neither.</returns>
    public static async ValueTask<bool> MayBeIn(Relation index, Patient patient, CancellationToken cancellationToken)
    {
        if (BufferView.Of(patient) is not { } view)
            return true;
        var located = new Located(index, index.Path ?? "");
        using var buffer = ReadBuffer.Rent(PagesPerRead * PageFormat.Size);
        var blocks = await view.Blocks(located, cancellationToken);
        for (var block = 0L; block < blocks;)
        {
            var read = await view.Read(located, block, buffer.Bytes, cancellationToken);
            if (read == 0)
                return true;
            for (var i = 0; i < read; i++, block++)
                if (block > 0 && IsInterrupted(buffer.Bytes.Span.Slice(i * PageFormat.Size, PageFormat.Size)))
                    return true;
        }
        return false;
    }

    private static bool IsInterrupted(ReadOnlySpan<byte> page) =>
        PageHeader.Read(page) is { IsNew: false, SpecialSize: 16 } && (BtreePage.Read(page).Flags & Flags) != 0;
}
