namespace Kintsugi.Postgres.Files.Reading;

/// <summary>Bytes of the data directory's files: beside the server, or through it. Paths are relative to the data
/// directory.</summary>
/// <remarks>Serves one worker at a time.</remarks>
internal interface IByteSource : IDisposable
{
    /// <returns>The length in bytes, or -1 when there is no such file.</returns>
    ValueTask<long> Length(string path, CancellationToken cancellationToken);

    /// <returns>Bytes read; fewer than asked for only at the end of the file, 0 when there is no such file.</returns>
    /// <exception cref="IOException">The device failed, or the file may not be read.</exception>
    ValueTask<int> Read(string path, long offset, Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>The next read finds the file anew by its name: it may have been replaced.</summary>
    void Reopen();
}
