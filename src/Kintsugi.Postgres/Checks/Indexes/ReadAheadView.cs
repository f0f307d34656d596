using Kintsugi.Pages;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>
/// Single pages of a view whose every answer is a statement, read with those that follow: thousands of suspects lie in the order of their blocks where
/// an index was built since the last checkpoint. What was read ahead is forgotten as soon as a later moment is asked for.
/// </summary>
internal sealed class ReadAheadView(IPageView view) : IPageView
{
    /// <summary>Pages of one window, and how many windows are kept: half a megabyte, and a parent is not read again for each of its children.</summary>
    private const int Pages = 16, Windows = 4;

    private readonly Queue<Window> windows = new();

    private sealed record Window(Located Relation, long First, int Count, byte[] Bytes);

    public bool IsLocked => view.IsLocked;

    public ValueTask<Moment?> Now(CancellationToken cancellationToken)
    {
        windows.Clear();
        return view.Now(cancellationToken);
    }

    public ValueTask<long> Blocks(Located relation, CancellationToken cancellationToken) => view.Blocks(relation, cancellationToken);

    public ValueTask<bool> EndStands(Located table, CancellationToken cancellationToken) => view.EndStands(table, cancellationToken);

    public async ValueTask<int> Read(Located relation, long first, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (buffer.Length != PageFormat.Size)
            return await view.Read(relation, first, buffer, cancellationToken);
        var window = windows.FirstOrDefault(one => one.Relation == relation && first >= one.First && first < one.First + one.Count)
            ?? await Ahead(relation, first, cancellationToken);
        if (window is null)
            return await view.Read(relation, first, buffer, cancellationToken);
        window.Bytes.AsMemory((int)(first - window.First) * PageFormat.Size, PageFormat.Size).CopyTo(buffer);
        return 1;
    }

    /// <returns>Null where nothing is there, or a page behind the one that is wanted cannot be read: that one is then asked for alone.</returns>
    private async ValueTask<Window?> Ahead(Located relation, long first, CancellationToken cancellationToken)
    {
        var bytes = new byte[Pages * PageFormat.Size];
        try
        {
            if (await view.Read(relation, first, bytes, cancellationToken) is not (> 0 and var count))
                return null;
            if (windows.Count == Windows)
                windows.Dequeue();
            var window = new Window(relation, first, count, bytes);
            windows.Enqueue(window);
            return window;
        }
        catch (PatientException problem) when (!problem.ConnectionLost)
        {
            return null;
        }
    }
}
