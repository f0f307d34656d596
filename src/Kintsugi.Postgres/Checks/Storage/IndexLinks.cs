using System.Buffers.Binary;
using Kintsugi.Pages;

namespace Kintsugi.Postgres.Checks.Storage;

/// <summary>
/// Links from an index page to other pages of the index (nbtree.h, gist.h, ginblock.h, hash.h). Index files never shrink, so a
/// link behind the end of the file says that the file was cut.
/// </summary>
internal static class IndexLinks
{
    private const uint None = uint.MaxValue;
    private const int RootAt = 32, FastRootAt = 40;

    /// <returns>The block behind the end that the page leads to, or null.</returns>
    public static uint? Beyond(ReadOnlySpan<byte> page, in PageHeader header, string accessMethod, long block, long blocks)
    {
        var special = page[header.Special..];
        switch (accessMethod)
        {
            case "btree" when block == 0:
                return First(blocks, U32(page, RootAt), U32(page, FastRootAt));
            case "btree":
                return First(blocks, U32(special, 0), U32(special, 4));
            // The metapage of a hash index has no next page but InvalidBlockNumber; of a GIN one the same.
            case "hash":
                return First(blocks, U32(special, 4), None);
            case "gist":
                return First(blocks, U32(special, 8), None);
            case "gin":
                return First(blocks, U32(special, 0), None);
            default:
                return null;
        }
    }

    private static uint? First(long blocks, uint one, uint other) =>
        one != None && one >= blocks ? one : other != None && other >= blocks ? other : null;

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);
}
