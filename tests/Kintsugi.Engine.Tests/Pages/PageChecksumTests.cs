using CsCheck;
using Kintsugi.Pages;
using Xunit;

namespace Kintsugi.Engine.Tests.Pages;

public sealed class PageChecksumTests
{
    // What page_checksum() of pageinspect on a server answers for the pattern below.
    [Theory]
    [InlineData(0u, 17288)]
    [InlineData(1u, 17289)]
    [InlineData(131072u, 17286)]
    [InlineData(uint.MaxValue, 48249)]
    public void Agrees_with_the_server_on_a_known_page(uint block, int expected)
    {
        var page = Pattern();

        Assert.Equal(expected, PageChecksum.Compute(page, block));
    }

    [Fact]
    public void Every_way_of_computing_gives_the_same_sum() =>
        Gen.Byte.Array[PageFormat.Size].Sample(page =>
        {
            var expected = PageChecksum.SumScalar(page);
            Assert.Equal(expected, PageChecksum.Sum256(page));
            Assert.Equal(expected, PageChecksum.Sum128(page));
        }, iter: 200);

    [Fact]
    public void A_single_flipped_bit_anywhere_is_seen() =>
        Gen.Select(Gen.Int[0, PageFormat.Size * 8 - 1], Gen.UInt).Sample((bit, block) =>
        {
            var page = Pattern();
            PageChecksum.Seal(page, block);
            Assert.True(PageChecksum.Matches(page, block));

            page[bit / 8] ^= (byte)(1 << (bit % 8));

            Assert.False(PageChecksum.Matches(page, block));
        }, iter: 500);

    [Fact]
    public void The_checksum_field_itself_does_not_count()
    {
        var page = Pattern();
        var before = PageChecksum.Compute(page, 7);

        page[8] ^= 0xFF;
        page[9] ^= 0xFF;

        Assert.Equal(before, PageChecksum.Compute(page, 7));
    }

    [Fact]
    public void A_page_written_to_the_wrong_block_is_seen()
    {
        var page = Pattern();
        PageChecksum.Seal(page, 7);

        Assert.True(PageChecksum.Matches(page, 7));
        Assert.False(PageChecksum.Matches(page, 3));
    }

    [Fact]
    public void A_page_of_another_length_is_refused() =>
        Assert.Throws<ArgumentException>(() => PageChecksum.Compute(new byte[4096], 0));

    private static byte[] Pattern()
    {
        var page = new byte[PageFormat.Size];
        for (var i = 0; i < page.Length; i++) page[i] = (byte)(i * 7 + i / 256 * 3 + 5);
        return page;
    }
}
