using System.Buffers;

namespace Kintsugi.Postgres.Files.Reading;

/// <summary>
/// Memory for large reads. The runtime's shared pool keeps an array of each size for every thread that ever returned one, which came to 20 MiB in a
/// check of a thousand small tables: here as many are kept as are in use at once.
/// </summary>
internal static class ReadBuffers
{
    private const int Largest = 1 << 20, KeptOfEachSize = 4;

    public static ArrayPool<byte> Pool { get; } = ArrayPool<byte>.Create(Largest, KeptOfEachSize);
}
