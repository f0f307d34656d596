namespace Kintsugi.Lab;

/// <summary>
/// An exclusive lock between processes, held while the object lives and released by the kernel when its process dies.
/// </summary>
internal sealed class FileLock : IDisposable
{
    /// <summary>Longer than the slowest thing done under a lock: downloading a server over a poor line.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly FileStream stream;

    private FileLock(FileStream stream) => this.stream = stream;

    public static async Task<FileLock> Take(string path, CancellationToken cancellationToken)
    {
        for (var waited = TimeSpan.Zero; ; waited += Pause)
        {
            try
            {
                return new FileLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (IOException) when (waited < Patience)
            {
                await Task.Delay(Pause, cancellationToken);
            }
        }
    }

    public void Dispose() => stream.Dispose();
}
