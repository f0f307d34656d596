using Kintsugi.Pages;
using Kintsugi.Postgres.Files.Reading;

namespace Kintsugi.Postgres.Checks.Storage;

/// <summary>
/// Reads suspicious pages again before they are accused: a page read while the server wrote it is torn in our buffer and whole on
/// disk. All suspects of a relation share the pauses. A page is guilty when its bytes stood still and are wrong.
/// </summary>
/// <param name="live">A server may be writing these files: only then is there anything to wait for.</param>
internal sealed class SecondLook(IByteSource bytes, string path, bool live, TimeProvider clock)
{
    /// <summary>Writing 8 kB takes microseconds; the later rounds are for a machine that is short of breath.</summary>
    private static readonly TimeSpan[] Pauses =
        [TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(150), TimeSpan.FromMilliseconds(400), TimeSpan.FromSeconds(1)];

    /// <summary>Readings with the same bytes that are enough: the first, and two more with both first pauses between.</summary>
    private const int Enough = 3;

    /// <param name="suspects">Those that were acquitted are removed.</param>
    /// <param name="judge">Looks at one page again; null acquits.</param>
    /// <returns>Pages that were wrong each time but never twice the same: neither guilty nor sound.</returns>
    public async ValueTask<IReadOnlyList<Suspect>> Run(
        List<Suspect> suspects, Func<Suspect, ReadOnlyMemory<byte>, ValueTask<Suspicion?>> judge,
            CancellationToken cancellationToken)
    {
        var needed = live ? Enough : 2;
        for (var round = 0; round < Pauses.Length && suspects.Exists(suspect => suspect.SameBytes < needed); round++)
        {
            if (live)
                await Task.Delay(Pauses[round], clock, cancellationToken);
            bytes.Reopen();
            for (var i = suspects.Count - 1; i >= 0; i--)
                if (!await StillWrong(suspects[i], judge, cancellationToken))
                    suspects.RemoveAt(i);
        }
        var restless = suspects.FindAll(suspect => suspect.SameBytes < 2);
        suspects.RemoveAll(suspect => suspect.SameBytes < 2);
        return restless;
    }

    private async ValueTask<bool> StillWrong(
        Suspect suspect, Func<Suspect, ReadOnlyMemory<byte>, ValueTask<Suspicion?>> judge, CancellationToken cancellationToken)
    {
        var page = new byte[PageFormat.Size];
        var (file, offset) = Forks.Place(path, suspect.Fork, suspect.Block);
        Suspicion? suspicion;
        try
        {
            // Cut off or gone meanwhile: the extent is measured elsewhere.
            if (await bytes.Read(file, offset, page, cancellationToken) < page.Length)
                return false;
            suspicion = await judge(suspect, page);
        }
        catch (IOException failed)
        {
            suspicion = ForkScan.Unreadable(failed);
        }
        if (suspicion is null)
            return false;
        suspect.SeenAgain(suspicion, page);
        return true;
    }
}
