using System.IO.Compression;

namespace Kintsugi.MicroBench;

/// <summary>Blocks captured from real servers, the same that the tests read.</summary>
internal static class Captured
{
    public static byte[] Page(string name)
    {
        using var resource = typeof(Captured).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"there is no captured page {name}");
        using var zip = new GZipStream(resource, CompressionMode.Decompress);
        using var bytes = new MemoryStream();
        zip.CopyTo(bytes);
        return bytes.ToArray();
    }
}
