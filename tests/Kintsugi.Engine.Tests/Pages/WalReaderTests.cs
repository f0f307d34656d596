using CsCheck;
using Kintsugi.Pages;
using Kintsugi.Pages.Wal;
using Xunit;

namespace Kintsugi.Engine.Tests.Pages;

public sealed class WalReaderTests
{
    private sealed class Blocks(byte[] bytes, ulong start) : IWalSource
    {
        public int SegmentSize => 16 << 20;

        public bool TryRead(ulong address, Span<byte> page)
        {
            if (address < start || address - start + 8192 > (ulong)bytes.Length) return false;
            bytes.AsSpan((int)(address - start), 8192).CopyTo(page);
            return true;
        }
    }

    // pg_waldump and pg_get_wal_block_info list the same block references for these ranges.
    [Theory]
    [InlineData("wal-13", 0xA044000ul, 16, 1)]
    [InlineData("wal-15", 0xA44C000ul, 9, 9)]
    [InlineData("wal-18", 0xA44C000ul, 9, 9)]
    public void Reads_the_records_of_a_server(string name, ulong start, int references, int images)
    {
        var reader = new WalReader(new Blocks(Captured.Page(name), start), start);
        var page = new byte[PageFormat.Size];
        int seen = 0, restored = 0;
        var previous = 0ul;
        while (reader.Next() is { } record)
        {
            Assert.True(record.Lsn >= start && record.End > record.Lsn && (previous == 0 || record.Previous == previous));
            previous = record.Lsn;
            foreach (var reference in record.Blocks)
            {
                seen++;
                Assert.Equal(1663u, reference.Address.Tablespace);
                if (!reference.TryRestore(record.Bytes.Span, page)) continue;
                var flaws = new List<Flaw>();
                PageHeader.Inspect(page, flaws);
                Assert.Empty(flaws);
                Assert.True(PageHeader.Read(page).Lsn < record.Lsn);
                restored++;
            }
        }

        Assert.Equal(WalEnd.Missing, reader.End);
        Assert.Equal((references, images), (seen, restored));
    }

    [Theory]
    [InlineData("wal-13", 0xA044000ul)]
    [InlineData("wal-15", 0xA44C000ul)]
    [InlineData("wal-18", 0xA44C000ul)]
    public void A_flipped_bit_ends_the_reading_and_never_throws(string name, ulong start) =>
        Gen.Int[0, 5 * 8192 * 8 - 1].Sample(bit =>
        {
            var whole = Read(Captured.Page(name), start);
            var bytes = Captured.Page(name);
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));

            var read = Read(bytes, start);

            Assert.True(read.Records <= whole.Records);
            Assert.True(read.Records < whole.Records || read.Blocks == whole.Blocks);
        }, iter: 300);

    [Fact]
    public void Random_bytes_are_no_records() =>
        Gen.Byte.Array[3 * 8192].Sample(bytes => Assert.Equal(0, Read(bytes, 0x2000000).Records), iter: 100);

    private static (int Records, int Blocks) Read(byte[] bytes, ulong start)
    {
        var reader = new WalReader(new Blocks(bytes, start), start);
        int records = 0, blocks = 0;
        while (reader.Next() is { } record)
        {
            records++;
            blocks += record.Blocks.Count;
        }
        Assert.NotEqual(WalEnd.None, reader.End);
        return (records, blocks);
    }
}
