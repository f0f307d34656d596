using System.IO.Compression;
using Kintsugi.Pages.Heap;

namespace Kintsugi.Engine.Tests.Pages;

/// <summary>Blocks captured from real servers.</summary>
internal static class Captured
{
    // Each line is a table's pg_attribute as length:alignment:type:notnull, dropped columns with type 0.
    public static readonly HeapColumn[] HotColumns = Columns("4:i:23:1,4:i:23:0,-1:i:25:0");

    public static readonly HeapColumn[] WideColumns = Columns(
        "8:d:20:0,2:s:21:0,1:c:16:0,-1:i:25:0,-1:i:1700:0,-1:i:1042:0,16:c:2950:0,8:d:1184:0,8:d:701:0,-1:i:1042:0,64:c:19:0,"
        + "-1:i:1007:0,-1:i:3802:0,16:d:600:0,-1:d:3910:0,-1:i:0:0,-1:i:1009:0,4:i:23:0,-1:i:869:0,1:c:18:0,12:d:1266:0,"
        + "4:i:23:0,-1:i:25:0");

    public static readonly HeapColumn[] BigColumns = Columns("4:i:23:1,-1:i:25:0,-1:i:25:0,-1:i:3802:0");

    public static byte[] Page(string name)
    {
        using var resource = typeof(Captured).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"There is no captured page {name}.");
        using var zip = new GZipStream(resource, CompressionMode.Decompress);
        using var bytes = new MemoryStream();
        zip.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static HeapColumn[] Columns(string text) =>
        [.. text.Split(',').Select(column => column.Split(':')).Select(parts => new HeapColumn(
            short.Parse(parts[0]), HeapColumn.AlignmentOf(parts[1][0]), uint.Parse(parts[2]), parts[3] == "1"))];
}
